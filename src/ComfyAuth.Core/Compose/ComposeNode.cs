namespace ComfyAuth.Compose;

/// <summary>
/// A node of a compose file. Other than the parser's own nodes it knows its file, so that nodes of several files can be
/// merged into one tree, and aliases may make several parents share it.
/// </summary>
internal abstract class ComposeNode(ComposePlace place)
{
    public ComposePlace Place { get; } = place;

    /// <summary>The levels below and including this one.</summary>
    public int Height { get; protected init; } = 1;

    /// <summary>What a walk through the tree costs here, shared parts counted each time; roughly in characters.</summary>
    public long Weight { get; protected init; } = 16;

    /// <summary><c>!reset</c> or <c>!override</c>, which steer the merging of files; null for other tags.</summary>
    public string? Tag { get; init; }

    /// <summary>An error at this node. What it says of a value is redacted.</summary>
    public ComfyAuthException Error(string problem, string remedy) => ComposeErrors.Invalid(Place, problem, remedy);
}

/// <summary>A value.</summary>
internal sealed class ComposeScalar : ComposeNode
{
    public ComposeScalar(ComposePlace place, string? text) : base(place)
    {
        Text = text;
        Weight += text?.Length ?? 0;
    }

    /// <summary>The value after interpolation; null for YAML's null. May hold a secret.</summary>
    public string? Text { get; }

    /// <summary>Where the text begins on its line, if each of its characters stands there as it is; null otherwise.</summary>
    public int? TextColumn { get; init; }

    /// <summary>The variables that stand in it.</summary>
    public IReadOnlyCollection<string> Variables { get; init; } = [];

    /// <summary>Why the value may not be what its author meant.</summary>
    public IReadOnlyList<InterpolationProblem> Problems { get; init; } = [];

    /// <summary>The same value, cut or replaced.</summary>
    public ComposeScalar With(string? text) => new(Place, text) { Tag = Tag, Variables = Variables, Problems = Problems };
}

/// <summary>A list.</summary>
internal sealed class ComposeSequence : ComposeNode
{
    public ComposeSequence(ComposePlace place, IReadOnlyList<ComposeNode> items) : base(place)
    {
        Items = items;
        foreach (var item in items)
        {
            Height = Math.Max(Height, item.Height + 1);
            Weight += item.Weight;
        }
    }

    public IReadOnlyList<ComposeNode> Items { get; }
}

/// <summary>A mapping; its keys are in the order of the file.</summary>
internal sealed class ComposeMapping : ComposeNode
{
    public ComposeMapping(ComposePlace place, IReadOnlyDictionary<string, ComposeEntry> entries) : base(place)
    {
        Entries = entries;
        foreach (var (key, entry) in entries)
        {
            Height = Math.Max(Height, entry.Value.Height + 1);
            Weight += entry.Value.Weight + key.Length;
        }
    }

    public IReadOnlyDictionary<string, ComposeEntry> Entries { get; }

    public ComposeNode? this[string key] =>
        Entries.TryGetValue(key, out var entry) && entry.Value is not ComposeScalar { Text: null } ? entry.Value : null;
}

/// <summary>A value of a mapping.</summary>
/// <param name="Place">Where the key stands.</param>
/// <param name="Value">The value.</param>
internal readonly record struct ComposeEntry(ComposePlace Place, ComposeNode Value);
