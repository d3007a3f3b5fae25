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

    /// <summary>Its notebooks and what belongs to them; null when it has none.</summary>
    public ContentDefinition? Content { get; init; }

    /// <summary>The APIs that its notebooks call.</summary>
    public IReadOnlyList<ExternalApi> Apis { get; init; } = [];

    /// <summary>The Python packages that its notebooks need; null when nothing is known of any.</summary>
    public PythonDefinition? Python { get; init; }
}
