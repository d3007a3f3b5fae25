namespace ComfyAuth.Containers;

/// <summary>A setting of a container that only a new container can change.</summary>
public enum ContainerDriftKind
{
    /// <summary>A variable of the environment.</summary>
    Variable,

    /// <summary>The image: another one is asked for, or the name stands for another one by now.</summary>
    Image,

    /// <summary>The entry point.</summary>
    Entrypoint,

    /// <summary>The command.</summary>
    Command,

    /// <summary>A published port.</summary>
    Port,

    /// <summary>A mount.</summary>
    Mount,

    /// <summary>The healthcheck.</summary>
    Healthcheck,

    /// <summary>The restart policy.</summary>
    RestartPolicy,

    /// <summary>The memory limit.</summary>
    MemoryLimit,

    /// <summary>The reservation of GPUs or other devices, or the runtime.</summary>
    Devices,
}
