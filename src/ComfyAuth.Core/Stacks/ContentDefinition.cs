namespace ComfyAuth.Stacks;

/// <summary>The notebooks of a stack and what belongs to them; every path is relative to the stack's root.</summary>
public sealed record ContentDefinition
{
    /// <summary>The folder that they lie in.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether the stack file asks for them; where it does not, a missing folder is no fault.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Folders that must be there.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>Notebooks that must be there.</summary>
    public IReadOnlyList<string> Notebooks { get; init; } = [];

    /// <summary>Documents that must be there.</summary>
    public IReadOnlyList<string> Documents { get; init; } = [];

    /// <summary>Tutorials that must be there.</summary>
    public IReadOnlyList<string> Tutorials { get; init; } = [];

    /// <summary>Examples that must be there.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>The <c>.env</c> file that the notebooks read; null when they read none.</summary>
    public EnvironmentFile? Environment { get; init; }
}
