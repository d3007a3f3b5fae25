namespace ComfyAuth.DotEnv;

/// <summary>What one program takes for one statement, with offsets into the text.</summary>
internal sealed record DotEnvStatement(int Start, int End)
{
    /// <summary>The key as this program sees it; null when it sees none.</summary>
    public string? Name { get; init; }

    public int NameStart { get; init; } = Start;

    public string? Value { get; init; }

    public bool IsInherited { get; init; }

    public IReadOnlyList<DroppedAt> Dropped { get; init; } = [];

    public string? Failure { get; init; }

    /// <summary>Where the cause of the failure stands.</summary>
    public int FailureOffset { get; init; } = Start;

    /// <summary>What the failure takes with it.</summary>
    public FailureReach Reach { get; init; }
}

/// <summary>What else is lost when a statement fails.</summary>
internal enum FailureReach
{
    /// <summary>Only the statement itself.</summary>
    Statement,

    /// <summary>Everything that follows.</summary>
    Rest,

    /// <summary>The program refuses the file as a whole.</summary>
    File,
}

/// <summary>A dropped run by its offset in the text.</summary>
internal readonly record struct DroppedAt(string Name, string Text, int Offset);
