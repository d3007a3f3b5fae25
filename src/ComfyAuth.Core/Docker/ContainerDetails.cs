namespace ComfyAuth.Docker;

/// <summary>What the engine knows of one container.</summary>
public sealed record ContainerDetails
{
    /// <summary>The whole identifier.</summary>
    public required string Id { get; init; }

    /// <summary>The name, without the engine's leading slash.</summary>
    public required string Name { get; init; }

    /// <summary>The image it was made from, as it was named.</summary>
    public required string Image { get; init; }

    /// <summary>The identifier of that image.</summary>
    public required string ImageId { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The state.</summary>
    public required ContainerState State { get; init; }

    /// <summary>Whether the kernel killed its main process for want of memory.</summary>
    public bool OutOfMemoryKilled { get; init; }

    /// <summary>The exit code of the last main process; 128 + n after signal n; 0 while the first one runs.</summary>
    public int ExitCode { get; init; }

    /// <summary>Why the engine could not start it, such as a port that is taken; empty otherwise.</summary>
    public required string Error { get; init; }

    /// <summary>When the main process started last; null when it never did.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the main process ended last; null when it never did.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The main process on the engine's machine; 0 when none runs.</summary>
    public int ProcessId { get; init; }

    /// <summary>How often the restart policy has started it again.</summary>
    public int RestartCount { get; init; }

    /// <summary>The restart policy: <c>no</c>, <c>always</c>, <c>unless-stopped</c>, <c>on-failure</c>.</summary>
    public required string RestartPolicy { get; init; }

    /// <summary>What the healthcheck says.</summary>
    public ContainerHealthStatus Health { get; init; }

    /// <summary>How many checks in a row have failed.</summary>
    public int HealthFailingStreak { get; init; }

    /// <summary>The last runs of the healthcheck, the oldest first.</summary>
    public required IReadOnlyList<ContainerHealthProbe> HealthLog { get; init; }

    /// <summary>The healthcheck, of the image or of the container; null when there is none.</summary>
    public ContainerHealthcheck? Healthcheck { get; init; }

    /// <summary>The entry point; its arguments are <see cref="Command"/>.</summary>
    public required IReadOnlyList<string> Entrypoint { get; init; }

    /// <summary>The command.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The environment, of the image and of the container.</summary>
    public required IReadOnlyList<ContainerVariable> Environment { get; init; }

    /// <summary>The labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>The user that the main process runs as; empty: the image's default, in the end root.</summary>
    public required string User { get; init; }

    /// <summary>The working directory.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>Whether it has a terminal: then its log knows no error stream.</summary>
    public bool Tty { get; init; }

    /// <summary>Whether it has all rights on the engine's machine.</summary>
    public bool Privileged { get; init; }

    /// <summary>Whether an init process reaps its orphans.</summary>
    public bool Init { get; init; }

    /// <summary>The memory limit in bytes; null: none.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The OCI runtime, such as <c>runc</c> or <c>nvidia</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The reserved devices.</summary>
    public required IReadOnlyList<ContainerDeviceRequest> DeviceRequests { get; init; }

    /// <summary>The network mode: <c>bridge</c>, <c>host</c>, <c>none</c> or the name of a network.</summary>
    public required string NetworkMode { get; init; }

    /// <summary>The ports that it asks for.</summary>
    public required IReadOnlyList<ContainerPort> RequestedPorts { get; init; }

    /// <summary>The ports that it has while it runs.</summary>
    public required IReadOnlyList<ContainerPort> Ports { get; init; }

    /// <summary>What is mounted into it.</summary>
    public required IReadOnlyList<ContainerMount> Mounts { get; init; }

    /// <summary>The log driver, such as <c>json-file</c>.</summary>
    public required string LogDriver { get; init; }

    /// <summary>Options of the log driver, such as <c>max-size</c>.</summary>
    public required IReadOnlyDictionary<string, string> LogOptions { get; init; }

    /// <summary>As much as a list tells, of a container that cannot be inspected.</summary>
    internal static ContainerDetails From(ContainerSummary summary) =>
        From(new ContainerAnswer(summary.Id, null, summary.Name, null, 0, null, null, null, null, null)) with
        {
            Image = summary.Image,
            State = summary.State,
            CreatedAt = summary.CreatedAt,
            Labels = summary.Labels,
            Ports = summary.Ports,
        };

    internal static ContainerDetails From(ContainerAnswer answer) => new()
    {
        Id = answer.Id ?? "",
        Name = (answer.Name ?? "").TrimStart('/'),
        Image = answer.Config?.Image ?? "",
        ImageId = answer.Image ?? "",
        CreatedAt = EngineValues.Time(answer.Created),
        State = EngineValues.State(answer.State?.Status),
        OutOfMemoryKilled = answer.State?.OOMKilled ?? false,
        ExitCode = answer.State?.ExitCode ?? 0,
        Error = answer.State?.Error ?? "",
        StartedAt = EngineValues.Time(answer.State?.StartedAt),
        FinishedAt = EngineValues.Time(answer.State?.FinishedAt),
        ProcessId = answer.State?.Pid ?? 0,
        RestartCount = answer.RestartCount,
        RestartPolicy = answer.HostConfig?.RestartPolicy?.Name is { Length: > 0 } policy ? policy : "no",
        Health = EngineValues.Health(answer.State?.Health?.Status),
        HealthFailingStreak = answer.State?.Health?.FailingStreak ?? 0,
        HealthLog =
        [
            .. EngineValues.Items(answer.State?.Health?.Log).Select(probe =>
                new ContainerHealthProbe(EngineValues.Time(probe.Start), EngineValues.Time(probe.End), probe.ExitCode, probe.Output ?? "")),
        ],
        Healthcheck = EngineValues.Healthcheck(answer.Config?.Healthcheck),
        Entrypoint = [.. EngineValues.Items(answer.Config?.Entrypoint)],
        Command = [.. EngineValues.Items(answer.Config?.Cmd)],
        Environment = [.. EngineValues.Items(answer.Config?.Env).Select(EngineValues.Variable)],
        Labels = answer.Config?.Labels ?? [],
        User = answer.Config?.User ?? "",
        WorkingDirectory = answer.Config?.WorkingDir ?? "",
        Tty = answer.Config?.Tty ?? false,
        Privileged = answer.HostConfig?.Privileged ?? false,
        Init = answer.HostConfig?.Init ?? false,
        MemoryLimit = answer.HostConfig?.Memory is > 0 and var limit ? limit : null,
        Runtime = answer.HostConfig?.Runtime ?? "",
        DeviceRequests =
        [
            .. EngineValues.Items(answer.HostConfig?.DeviceRequests).Select(request =>
                new ContainerDeviceRequest(request.Driver ?? "", request.Count, [.. EngineValues.Items(request.DeviceIDs)], [.. EngineValues.Items(request.Capabilities).SelectMany(EngineValues.Items)])),
        ],
        NetworkMode = answer.HostConfig?.NetworkMode ?? "",
        RequestedPorts = EngineValues.Ports(answer.HostConfig?.PortBindings),
        Ports = EngineValues.Ports(answer.NetworkSettings?.Ports),
        Mounts =
        [
            .. EngineValues.Items(answer.Mounts).Select(mount =>
                new ContainerMount(mount.Type ?? "", mount.Name ?? "", mount.Source ?? "", mount.Destination ?? "", !mount.RW)),
        ],
        LogDriver = answer.HostConfig?.LogConfig?.Type ?? "",
        LogOptions = answer.HostConfig?.LogConfig?.Config ?? [],
    };
}
