namespace ComfyAuth.Compose;

/// <summary>An entry of <c>env_file</c>.</summary>
public sealed record ComposeEnvironmentFile
{
    /// <summary>The file's full path.</summary>
    public required string Path { get; init; }

    /// <summary>Whether Compose refuses to start without it.</summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>Whether it is read as <c>docker run --env-file</c> reads it, quotes and <c>$</c> untouched.</summary>
    public bool IsRaw { get; init; }

    /// <summary>Why it cannot be read, as a sentence; null when it can, or when it is neither there nor required.</summary>
    public string? Fault { get; init; }

    /// <summary>Where the entry is written.</summary>
    public required ComposePlace Place { get; init; }
}
