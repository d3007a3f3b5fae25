namespace ComfyAuth.Docker;

/// <summary>The stream that a line of a log was written to.</summary>
public enum ContainerLogStream
{
    /// <summary>Standard output, and everything of a container with a terminal.</summary>
    StandardOutput,

    /// <summary>Standard error.</summary>
    StandardError,
}
