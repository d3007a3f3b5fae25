namespace ComfyAuth.Compose;

/// <summary>Where a container's output goes.</summary>
public sealed record ComposeLogging
{
    /// <summary>The log driver; null for the engine's default, which is <c>json-file</c> unless it is configured otherwise.</summary>
    public string? Driver { get; init; }

    /// <summary>The driver's options, such as <c>max-size</c>.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }
}
