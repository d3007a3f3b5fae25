namespace ComfyAuth.Compose;

/// <summary>What a compose command works on.</summary>
public sealed record ComposeProject
{
    /// <summary>The compose files, as full paths, in the order in which they are merged; at least one.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>The project's name; null for the one that Compose makes of the folder's.</summary>
    public string? Name { get; init; }

    /// <summary>The <c>.env</c> file; null for the one beside the first compose file.</summary>
    public string? EnvironmentFile { get; init; }
}
