namespace ComfyAuth.Validation;

/// <summary>Which checks are made, and how.</summary>
public sealed record ValidationOptions
{
    /// <summary>Names of services; null or empty for all. Checks of the stack as a whole are made either way.</summary>
    public IReadOnlyCollection<string>? Services { get; init; }

    /// <summary>Ids of checks, <c>*</c> and <c>?</c> are wildcards; null or empty for all.</summary>
    public IReadOnlyCollection<string>? Ids { get; init; }

    /// <summary>Categories of checks, with wildcards; null or empty for all.</summary>
    public IReadOnlyCollection<string>? Categories { get; init; }

    /// <summary>Ids or categories that are left out, with wildcards.</summary>
    public IReadOnlyCollection<string>? Exclude { get; init; }

    /// <summary>Also do what takes long: hash every model file.</summary>
    public bool Deep { get; init; }

    /// <summary>Whether the programs that the stack's own <c>.checks.yml</c> names are run.</summary>
    public bool RunCommands { get; init; }

    /// <summary>Is told, when the run ends, what it found out about the stack beside its results; null when nobody wants to know.</summary>
    internal Action<StackFacts>? Found { get; init; }

    /// <summary>How many checks may be under way at once.</summary>
    public int AtOnce { get; init; } = 8;

    /// <summary>Looks up a variable of the environment that Compose would be started in; null for this process's own.</summary>
    public Func<string, string?>? Shell { get; init; }
}
