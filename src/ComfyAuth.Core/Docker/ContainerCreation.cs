namespace ComfyAuth.Docker;

/// <summary>A container to make.</summary>
public sealed record ContainerCreation
{
    /// <summary>The image; it must be on the engine's machine already.</summary>
    public required string Image { get; init; }

    /// <summary>The name; null: the engine makes one up.</summary>
    public string? Name { get; init; }

    /// <summary>The entry point; null: the image's.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>The command; null: the image's.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Variables on top of the image's.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>The labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The user; null: the image's.</summary>
    public string? User { get; init; }

    /// <summary>The working directory; null: the image's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Whether it has a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Whether an init process reaps its orphans and passes signals on.</summary>
    public bool Init { get; init; }

    /// <summary>The memory limit in bytes, swap included; null: none.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The network mode; null: the engine's default network.</summary>
    public string? NetworkMode { get; init; }

    /// <summary>The restart policy: <c>no</c>, <c>always</c>, <c>unless-stopped</c>, <c>on-failure</c>; null: <c>no</c>.</summary>
    public string? RestartPolicy { get; init; }

    /// <summary>Binds as Docker writes them: <c>/on/the/host:/in/the/container[:ro]</c>; a missing source becomes a directory.</summary>
    public IReadOnlyList<string>? Binds { get; init; }

    /// <summary>Mounts by kind, as Compose's long syntax makes them; a missing source of a bind is refused.</summary>
    public IReadOnlyList<ContainerMount>? Mounts { get; init; }

    /// <summary>The ports to publish.</summary>
    public IReadOnlyList<ContainerPort>? Ports { get; init; }

    /// <summary>Devices to reserve.</summary>
    public IReadOnlyList<ContainerDeviceRequest>? DeviceRequests { get; init; }

    /// <summary>The log driver; null: the engine's default.</summary>
    public string? LogDriver { get; init; }

    /// <summary>The healthcheck; null: the image's.</summary>
    public ContainerHealthcheck? Healthcheck { get; init; }

    internal CreateRequest ToRequest()
    {
        var ports = (Ports ?? []).GroupBy(port => $"{port.PrivatePort}/{port.Protocol}").ToList();
        return new(
            Image,
            User,
            Tty,
            Environment?.Select(variable => $"{variable.Key}={variable.Value}"),
            Command,
            Entrypoint,
            WorkingDirectory,
            Labels,
            Healthcheck is { } check
                ? new([.. check.Test], EngineValues.Nanoseconds(check.Interval), EngineValues.Nanoseconds(check.Timeout), EngineValues.Nanoseconds(check.StartPeriod), null, check.Retries)
                : null,
            ports.ToDictionary(port => port.Key, _ => new Dictionary<string, string>()),
            new(
                [.. Binds ?? []],
                NetworkMode,
                RestartPolicy is null ? null : new(RestartPolicy, 0),
                MemoryLimit,
                MemoryLimit,
                null,
                Init,
                null,
                null,
                LogDriver is null ? null : new(LogDriver, null),
                DeviceRequests is { Count: > 0 } devices ? [.. devices.Select(device => new DeviceRequestAnswer(device.Driver, device.Count, [.. device.DeviceIds], [[.. device.Capabilities]]))] : null,
                ports.ToDictionary(
                    port => port.Key,
                    PortBindingAnswer[]? (port) => [.. port.Select(binding => new PortBindingAnswer(binding.HostAddress, binding.PublicPort?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""))]),
                Mounts is null ? null : [.. Mounts.Select(mount => new MountRequest(mount.Type, mount.Type == "volume" ? mount.Name : mount.Source, mount.Destination, mount.ReadOnly))]));
    }
}
