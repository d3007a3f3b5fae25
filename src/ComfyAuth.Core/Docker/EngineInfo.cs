namespace ComfyAuth.Docker;

/// <summary>What an engine says of itself and its machine.</summary>
public sealed record EngineInfo
{
    /// <summary>The machine's name.</summary>
    public required string Name { get; init; }

    /// <summary>The engine's version.</summary>
    public required string Version { get; init; }

    /// <summary>The system, such as <c>Debian GNU/Linux 12 (bookworm)</c> or <c>Docker Desktop</c>.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>What its containers run on: <c>linux</c> or <c>windows</c>.</summary>
    public required string ContainerSystem { get; init; }

    /// <summary>How many processors it has.</summary>
    public int Cpus { get; init; }

    /// <summary>Its memory in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Whether it can limit the memory of a container.</summary>
    public bool CanLimitMemory { get; init; }

    /// <summary>The storage driver, such as <c>overlay2</c>.</summary>
    public required string StorageDriver { get; init; }

    /// <summary>The version of control groups: <c>1</c>, <c>2</c>, or empty.</summary>
    public required string CgroupVersion { get; init; }

    /// <summary>Where images and containers lie on its machine.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The OCI runtimes; <c>nvidia</c> among them when the NVIDIA container toolkit is set up.</summary>
    public required IReadOnlyList<string> Runtimes { get; init; }

    /// <summary>The runtime of containers that name none.</summary>
    public required string DefaultRuntime { get; init; }

    /// <summary>The devices that it can give to containers by their CDI names, such as <c>nvidia.com/gpu=0</c>; engines before 28.2 do not tell.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>What the engine itself warns of.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    internal static EngineInfo From(InfoAnswer answer) => new()
    {
        Name = answer.Name ?? "",
        Version = answer.ServerVersion ?? "",
        OperatingSystem = answer.OperatingSystem ?? "",
        ContainerSystem = answer.OSType ?? "",
        Cpus = answer.Cpus,
        Memory = answer.MemTotal,
        CanLimitMemory = answer.MemoryLimit,
        StorageDriver = answer.Driver ?? "",
        CgroupVersion = answer.CgroupVersion ?? "",
        DataFolder = answer.DockerRootDir ?? "",
        Runtimes = [.. (answer.Runtimes ?? []).Keys.Order(StringComparer.Ordinal)],
        DefaultRuntime = answer.DefaultRuntime ?? "",
        Devices = [.. EngineValues.Items(answer.DiscoveredDevices).Select(device => device.Id).OfType<string>()],
        Warnings = [.. EngineValues.Items(answer.Warnings)],
    };
}
