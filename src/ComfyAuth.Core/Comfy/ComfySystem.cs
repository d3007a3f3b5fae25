namespace ComfyAuth.Comfy;

/// <summary>What ComfyUI tells of the machine it runs on (<c>/system_stats</c>). What an answer left out, or gave in another form, is null.</summary>
public sealed record ComfySystem
{
    /// <summary>Its operating system: <c>posix</c>, <c>nt</c>, or a name.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>The version of ComfyUI.</summary>
    public string? ComfyUIVersion { get; init; }

    /// <summary>The version of Python.</summary>
    public string? PythonVersion { get; init; }

    /// <summary>The version of PyTorch, such as <c>2.6.0+cu124</c>.</summary>
    public string? PyTorchVersion { get; init; }

    /// <summary>The memory of the machine, in bytes.</summary>
    public long? MemoryTotal { get; init; }

    /// <summary>What of it is free, in bytes.</summary>
    public long? MemoryFree { get; init; }

    /// <summary>The command line it was started with.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Its devices; without a GPU there is one of the type <c>cpu</c>.</summary>
    public IReadOnlyList<ComfyDevice> Devices { get; init; } = [];
}
