namespace ComfyAuth.Stacks;

/// <summary>One service of a stack, as the stack file or the built-in defaults describe it.</summary>
public sealed record ServiceDefinition
{
    /// <summary>The service's name, unique in the stack.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its container.</summary>
    public required string Container { get; init; }

    /// <summary>Where it is reached from the host.</summary>
    public required Uri Url { get; init; }

    /// <summary>The path that answers when the service is alive.</summary>
    public string HealthPath { get; init; } = "/";

    /// <summary>How it asks its callers who they are.</summary>
    public AuthKind Auth { get; init; }

    /// <summary>Its compose file, relative to the stack's root; null when it has none.</summary>
    public string? ComposeFile { get; init; }

    /// <summary>Its <c>.env</c> file; null when it has none.</summary>
    public EnvironmentFile? Environment { get; init; }

    /// <summary>The places that feed its credential to somebody.</summary>
    public IReadOnlyList<TokenLocation> TokenLocations { get; init; } = [];

    /// <summary>Where ComfyUI-Login's <c>PASSWORD</c> file stands inside the container, as an absolute path; null to look for it in the usual places.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Its own source of truth, relative to the stack's root; null to share the stack's.</summary>
    public string? Source { get; init; }

    /// <summary>The folder of its model files, relative to the stack's root; null when it has none.</summary>
    public string? ModelsFolder { get; init; }

    /// <summary>The model files that it needs.</summary>
    public IReadOnlyList<ModelFile> Models { get; init; } = [];
}
