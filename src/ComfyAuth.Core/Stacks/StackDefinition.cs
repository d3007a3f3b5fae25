namespace ComfyAuth.Stacks;

/// <summary>What a stack consists of; every path is relative to the stack's root.</summary>
public sealed record StackDefinition
{
    /// <summary>The source of truth of every service that does not name its own.</summary>
    public required string Source { get; init; }

    /// <summary>The services, in the order they were defined.</summary>
    public required IReadOnlyList<ServiceDefinition> Services { get; init; }

    /// <summary>How many backups of each <c>.env</c> file are kept.</summary>
    public int KeepBackups { get; init; } = 10;
}
