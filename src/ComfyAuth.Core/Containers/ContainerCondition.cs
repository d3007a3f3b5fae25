namespace ComfyAuth.Containers;

/// <summary>What a container of the stack is really doing.</summary>
public enum ContainerCondition
{
    /// <summary>It could not be found out; the evidence says what stood in the way.</summary>
    Unknown,

    /// <summary>The service answers, and accepts our token where it asks for one.</summary>
    Ready,

    /// <summary>It runs and does not answer yet, and there is nothing wrong with that so far.</summary>
    Starting,

    /// <summary>It installs programs or downloads files before it can answer.</summary>
    Installing,

    /// <summary>The service answers, and its healthcheck fails all the same, for ever.</summary>
    HealthcheckCannotPass,

    /// <summary>The service answers and asks for a token, and refuses ours.</summary>
    TokenRefused,

    /// <summary>It runs, should have answered long ago, and does not.</summary>
    Unresponsive,

    /// <summary>It ends again and again, and the engine starts it again.</summary>
    CrashLoop,

    /// <summary>The kernel killed it at its memory limit.</summary>
    OutOfMemory,

    /// <summary>The source of a bind mount is not there.</summary>
    MountMissing,

    /// <summary>A directory stands where a file is meant: Docker makes one where the source of a bind mount is missing.</summary>
    MountIsDirectory,

    /// <summary>Somebody else has the port that it wants.</summary>
    PortConflict,

    /// <summary>It wants a GPU and gets none: the driver, the runtime or the reservation is missing.</summary>
    GpuMissing,

    /// <summary>The engine is about to start it again after it ended.</summary>
    Restarting,

    /// <summary>It is frozen.</summary>
    Paused,

    /// <summary>It does not run.</summary>
    Stopped,

    /// <summary>There is no such container.</summary>
    Absent,
}
