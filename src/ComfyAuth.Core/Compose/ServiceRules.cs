namespace ComfyAuth.Compose;

/// <summary>Rules about what else a service says, or leaves out.</summary>
internal static class ServiceRules
{
    public static IReadOnlyList<ComposeRule> All { get; } =
    [
        new("gpu-reservation-malformed", FindingSeverity.Error,
            "Compose or the engine refuses it, and the container does not start.",
            "Write driver: nvidia, count: all (or device_ids, not both) and capabilities: [gpu].",
            (_, service) => service.DeviceReservations.Where(device => device.Fault is not null).Select(device => new ComposeFault(device.Place, $"The device reservation is malformed: {device.Fault}."))),
        new("gpu-reservation-missing", FindingSeverity.Warning,
            "Without a reservation the container sees no GPU, whatever the variables say.",
            "Reserve it under deploy.resources.reservations.devices, with driver: nvidia, count: all and capabilities: [gpu].",
            (_, service) => GpuMissing(service)),
        new("duplicate-host-port", FindingSeverity.Error,
            "The second container cannot start while the first one runs.",
            "Give one of the two another host port.",
            DuplicatePorts),
        new("published-on-all-interfaces", FindingSeverity.Warning,
            "Every machine that reaches this one reaches the service, past most firewalls, because the engine writes its own rules.",
            "Bind it to the loopback address, as in 127.0.0.1:8188:8188, and put a proxy with TLS before it for others.",
            (_, service) => service.NetworkMode == "host" ? [] : service.Ports.Where(port => port.IsOnAllInterfaces).DistinctBy(port => port.Place)
                .Select(port => new ComposeFault(port.Place, $"Port {port.Target} is published on all interfaces."))),
        new("no-restart-policy", FindingSeverity.Warning,
            "After a crash or a reboot the service stays down.",
            "Add restart: unless-stopped; restart: \"no\" says that it is meant.",
            (_, service) => service.Restart is null ? [new ComposeFault(service.Place, "There is no restart policy.")] : []),
        new("image-not-pinned", FindingSeverity.Warning,
            "What runs changes with the next pull.",
            "Name a version, such as python:3.11-slim, or a digest.",
            (_, service) => service.Image is { } image && !service.HasBuild && !IsPinned(image) ? [new ComposeFault(service.PlaceOf("image"), "The image has no tag, or the tag latest.")] : []),
        new("no-image", FindingSeverity.Error,
            "Compose refuses the file.",
            "Add image or build.",
            (_, service) => service.Image is null && !service.HasBuild && service.Source?.Node["extends"] is null ? [new ComposeFault(service.Place, "The service has neither an image nor a build.")] : []),
        new("privileged", FindingSeverity.Warning,
            "Whoever takes over the service takes over the host. A GPU does not need it.",
            "Take it out, and add single capabilities with cap_add where some are needed.",
            (_, service) => service.Privileged ? [new ComposeFault(service.PlaceOf("privileged"), "The container is privileged.")] : []),
        new("unbounded-logs", FindingSeverity.Warning,
            "The json-file log driver keeps everything, until the disk is full.",
            "Add logging with driver: json-file and options max-size: 10m and max-file: \"3\", or driver: local.",
            (_, service) => service.Logging?.Driver is null or "json-file" && service.Logging?.Options.ContainsKey("max-size") != true ? [new ComposeFault(service.PlaceOf("logging"), "The log has no max-size.")] : []),
        new("no-init", FindingSeverity.Info,
            "A main program that does not handle the stop signal is killed after 10 s, and ended child processes are never reaped.",
            "Add init: true.",
            (_, service) => service.Init ? [] : [new ComposeFault(service.Place, "There is no init process.")]),
        new("obsolete-version", FindingSeverity.Info,
            "Compose v2 ignores it and warns at every command.",
            "Delete the line, unless docker-compose 1.x before 1.27 must still read the file.",
            context => context.Files.Where(file => file.VersionPlace is not null).Select(file => new ComposeFault(file.VersionPlace!, "The top-level 'version' is obsolete."))),
        new("not-followed", FindingSeverity.Info,
            "What it brings in is not checked here.",
            "Check the other file by itself, or the output of 'docker compose config'.",
            context => context.Files.SelectMany(file => file.NotFollowed).Select(place => new ComposeFault(place, "The file takes in what stands elsewhere."))),
    ];

    private static IEnumerable<ComposeFault> GpuMissing(ComposeService service)
    {
        if (service.Runtime == "nvidia" || service.DeviceReservations.Any(device => device.IsGpu || device.Fault is not null))
            yield break;
        var variable = service.Environment.FirstOrDefault(variable =>
            variable.Name is "CUDA_VISIBLE_DEVICES" or "NVIDIA_VISIBLE_DEVICES" && variable.Reveal() is { } value && value.Trim() is not ("" or "-1" or "none" or "void"));
        if (variable is not null)
            yield return new ComposeFault(variable.Place, $"{variable.Name} is set, but no GPU is reserved.");
    }

    private static IEnumerable<ComposeFault> DuplicatePorts(ComposeLintContext context)
    {
        const string AllInterfaces = "";
        var any = new Dictionary<(int Port, string Protocol), ComposeService>();
        var byAddress = new Dictionary<(int Port, string Protocol, string Address), ComposeService>();
        foreach (var service in context.Services.Where(service => service.NetworkMode != "host"))
        {
            // Of a range the engine takes a free one.
            foreach (var port in service.Ports.Where(port => port.Published is > 0 && port.Published == port.PublishedTo))
            {
                var number = port.Published!.Value;
                var holder = port.IsOnAllInterfaces
                    ? any.GetValueOrDefault((number, port.Protocol))
                    : byAddress.GetValueOrDefault((number, port.Protocol, port.HostAddress!)) ?? byAddress.GetValueOrDefault((number, port.Protocol, AllInterfaces));
                if (holder is not null)
                    yield return new ComposeFault(port.Place, $"Host port {number} is also published by {holder.Name} ({holder.Place}).") { Service = service.Name };
                any.TryAdd((number, port.Protocol), service);
                byAddress.TryAdd((number, port.Protocol, port.IsOnAllInterfaces ? AllInterfaces : port.HostAddress!), service);
            }
        }
    }

    private static bool IsPinned(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
            return true;
        var name = image[(image.LastIndexOf('/') + 1)..];
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && name[(colon + 1)..] is not ("" or "latest");
    }
}
