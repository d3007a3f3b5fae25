namespace ComfyAuth.Docker;

/// <summary>The state of a container, in the engine's own words.</summary>
public enum ContainerState
{
    /// <summary>A word of an engine newer than this list.</summary>
    Unknown,

    /// <summary>Made, never started.</summary>
    Created,

    /// <summary>Its main process runs.</summary>
    Running,

    /// <summary>Its processes are frozen.</summary>
    Paused,

    /// <summary>Its main process ended and the restart policy will start it again.</summary>
    Restarting,

    /// <summary>It is being removed.</summary>
    Removing,

    /// <summary>Its main process ended.</summary>
    Exited,

    /// <summary>It could be neither stopped nor removed.</summary>
    Dead,
}
