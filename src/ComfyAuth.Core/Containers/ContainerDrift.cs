using System.Globalization;
using ComfyAuth.Compose;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>One setting in which a container is not what its compose file says by now. Never holds a value, which may be a secret.</summary>
/// <param name="Kind">The setting.</param>
/// <param name="Name">Which one: the name of a variable, <c>8188/tcp</c>, or the path of a mount in the container; empty where there is only one.</param>
public sealed record ContainerDrift(ContainerDriftKind Kind, string Name = "")
{
    /// <summary>What Docker's clients add to every container (the "proxies" of <c>config.json</c>).</summary>
    private static readonly HashSet<string> ProxyVariables =
        new(["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Settings that mount more than <c>volumes</c> and <c>tmpfs</c> say.</summary>
    private static readonly string[] OtherMounts = ["secrets", "configs", "volumes_from", "use_api_socket"];

    /// <summary>
    /// Compares a container with its service by what both come to: the defaults of the image filled in, short and long forms alike.
    /// Labels, networks and what else a restart cannot spoil are not compared.
    /// </summary>
    /// <param name="container">The container.</param>
    /// <param name="image">The image that it was made from; null where the engine has it no more: then the image's own settings are not compared.</param>
    /// <param name="currentImage">The identifier of the image that the service would get now; null where the engine does not have it.</param>
    /// <param name="service">The service, with <c>.env</c> and <c>env_file</c> read as the version of Compose reads them that made the container.</param>
    /// <returns>The differences, in the order of <see cref="ContainerDriftKind"/>; empty where there are none.</returns>
    public static IReadOnlyList<ContainerDrift> Of(ContainerDetails container, ImageDetails? image, string? currentImage, ComposeService service)
    {
        ArgumentNullException.ThrowIfNull(container);
        ArgumentNullException.ThrowIfNull(service);
        return
        [
            .. Variables(container, image, service),
            .. When(IsOtherImage(container, currentImage, service), ContainerDriftKind.Image),
            .. When(Words(service.Entrypoint, image?.Entrypoint) is { } entrypoint && !entrypoint.SequenceEqual(Words(container.Entrypoint, [])!), ContainerDriftKind.Entrypoint),
            .. When(CommandOf(image, service) is { } command && !command.SequenceEqual(container.Command), ContainerDriftKind.Command),
            .. Ports(container, service),
            .. Mounts(container, service),
            .. When(!HasHealthcheckOf(container, image, service), ContainerDriftKind.Healthcheck),
            .. When(!HasRestartPolicyOf(container, service), ContainerDriftKind.RestartPolicy),
            .. When((container.MemoryLimit ?? 0) != (service.MemoryLimitInBytes ?? 0), ContainerDriftKind.MemoryLimit),
            .. When(!HasDevicesOf(container, service), ContainerDriftKind.Devices),
        ];
    }

    /// <summary>The setting, as it stands in a sentence.</summary>
    public override string ToString() => Kind switch
    {
        ContainerDriftKind.Variable => Name,
        ContainerDriftKind.Image => "the image",
        ContainerDriftKind.Entrypoint => "the entry point",
        ContainerDriftKind.Command => "the command",
        ContainerDriftKind.Port => $"the port {Name}",
        ContainerDriftKind.Mount => $"the mount {Name}",
        ContainerDriftKind.Healthcheck => "the healthcheck",
        ContainerDriftKind.RestartPolicy => "the restart policy",
        ContainerDriftKind.MemoryLimit => "the memory limit",
        _ => "the GPU reservation",
    };

    private static IEnumerable<ContainerDrift> When(bool differs, ContainerDriftKind kind) => differs ? [new(kind)] : [];

    private static IEnumerable<ContainerDrift> Variables(ContainerDetails container, ImageDetails? image, ComposeService service)
    {
        var has = Values(container.Environment);
        var wanted = Values(image?.Environment ?? []);

        // Without a value, what a variable comes to depends on the version of Compose.
        var open = service.Environment.Where(variable => !variable.HasValue).Select(variable => variable.Name).ToHashSet();
        foreach (var variable in service.Environment.Where(variable => variable.HasValue))
            wanted[variable.Name] = variable.Reveal();

        // Which of the others come from the image can be told only where it is known.
        var extra = image is null ? [] : has.Keys.Where(name => !wanted.ContainsKey(name) && !IsAdded(name));
        return wanted.Where(pair => !has.TryGetValue(pair.Key, out var value) || value != pair.Value)
            .Select(pair => pair.Key)
            .Concat(extra)
            .Where(name => !open.Contains(name))
            .Order(StringComparer.Ordinal)
            .Select(name => new ContainerDrift(ContainerDriftKind.Variable, name));

        // docker-compose 1 hangs a hint to Swarm on every container that it recreates.
        static bool IsAdded(string name) => ProxyVariables.Contains(name) || name.StartsWith("affinity:", StringComparison.Ordinal);

        static Dictionary<string, string?> Values(IEnumerable<ContainerVariable> variables)
        {
            var values = new Dictionary<string, string?>();
            foreach (var variable in variables)
                values[variable.Name] = variable.Reveal();
            return values;
        }
    }

    private static bool IsOtherImage(ContainerDetails container, string? currentImage, ComposeService service) =>
        currentImage is not null ? currentImage != container.ImageId
        : service.Image is not null && FullName(service.Image) != FullName(container.Image);

    /// <summary>A name with what Docker adds to it: the registry, the user and the tag.</summary>
    private static string FullName(string image)
    {
        foreach (var prefix in new[] { "docker.io/", "index.docker.io/", "library/" })
        {
            if (image.StartsWith(prefix, StringComparison.Ordinal))
                image = image[prefix.Length..];
        }

        // A colon before the last slash is that of a registry's port.
        return image.Contains('@') || image.IndexOf(':', image.LastIndexOf('/') + 1) >= 0 ? image : image + ":latest";
    }

    /// <summary>The words of the file, else those of the image; the engine takes one empty word for none.</summary>
    private static IReadOnlyList<string>? Words(IReadOnlyList<string>? words, IReadOnlyList<string>? otherwise) =>
        (words ?? otherwise) is [""] ? [] : words ?? otherwise;

    /// <summary>Who sets an entry point loses the image's command (Engine API, "Create a container").</summary>
    private static IReadOnlyList<string>? CommandOf(ImageDetails? image, ComposeService service) =>
        service.Command is { Count: > 0 } ? service.Command
        : Words(service.Entrypoint, null) is { Count: > 0 } ? []
        : image?.Command;

    private static IEnumerable<ContainerDrift> Ports(ContainerDetails container, ComposeService service)
    {
        var has = container.RequestedPorts.ToLookup(port => $"{port.PrivatePort}/{port.Protocol}");
        var wanted = service.Ports.ToLookup(port => string.Create(CultureInfo.InvariantCulture, $"{port.Target}/{port.Protocol}"));
        return has.Select(group => group.Key)
            .Union(wanted.Select(group => group.Key))
            .Where(key => !has[key].All(port => wanted[key].Any(other => IsPort(port, other))) || !wanted[key].All(other => has[key].Any(port => IsPort(port, other))))
            .Order(StringComparer.Ordinal)
            .Select(key => new ContainerDrift(ContainerDriftKind.Port, key));

        // The engine keeps a range of which it may choose as a text that is no number.
        static bool IsPort(ContainerPort port, ComposePort wanted) =>
            port.HostAddress == (wanted.HostAddress ?? "") && port.PublicPort == (wanted.Published == wanted.PublishedTo ? wanted.Published : null);
    }

    private static IEnumerable<ContainerDrift> Mounts(ContainerDetails container, ComposeService service)
    {
        var wanted = new Dictionary<string, ComposeMount>();
        foreach (var mount in service.Mounts)
            wanted[Trimmed(mount.Target)] = mount;
        var has = container.Mounts.ToLookup(mount => Trimmed(mount.Destination));

        // An unnamed volume is made for the image, and is taken along into every new container.
        var isAllKnown = !Array.Exists(OtherMounts, key => service.Source?.Node[key] is not null);
        var extra = has.Where(group => isAllKnown && !wanted.ContainsKey(group.Key) && !group.All(IsUnnamed)).Select(group => group.Key);
        return wanted.Where(pair => !has[pair.Key].Any(mount => IsMount(mount, pair.Value, ContainerOrigin.Of(container)?.Project)))
            .Select(pair => pair.Key)
            .Concat(extra)
            .Order(StringComparer.Ordinal)
            .Select(target => new ContainerDrift(ContainerDriftKind.Mount, target));
    }

    private static bool IsMount(ContainerMount mount, ComposeMount wanted, string? project) => wanted.Kind switch
    {
        ComposeMountKind.Bind => mount.Type == "bind" && mount.ReadOnly == wanted.IsReadOnly && IsSamePath(mount.Source, wanted.Source ?? ""),
        ComposeMountKind.Volume => mount.Type == "volume" && mount.ReadOnly == wanted.IsReadOnly
            && (wanted.Source is null || mount.Name == (wanted.VolumeName ?? $"{project}_{wanted.Source}")),
        ComposeMountKind.Memory => mount.Type == "tmpfs",
        _ => true,
    };

    private static bool IsUnnamed(ContainerMount mount) => mount is { Type: "volume", Name.Length: 64 } && mount.Name.All(char.IsAsciiHexDigitLower);

    private static bool IsSamePath(string onEngine, string onHost) =>
        string.Equals(Normal(onEngine), Normal(onHost), OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);

    /// <summary>Docker Desktop's engine runs in a virtual machine, and tells where it sees the files of the host.</summary>
    private static string Normal(string path)
    {
        path = Trimmed(path.Replace('\\', '/'));
        foreach (var prefix in new[] { "/run/desktop/mnt/host", "/host_mnt" })
        {
            if (path.StartsWith(prefix + "/", StringComparison.Ordinal))
                path = path[prefix.Length..];
        }

        return path is [var drive, ':', '/', ..] ? $"/{char.ToLowerInvariant(drive)}{path[2..]}" : path;
    }

    private static string Trimmed(string path) => path.Length > 1 ? path.TrimEnd('/') : path;

    private static bool HasHealthcheckOf(ContainerDetails container, ImageDetails? image, ComposeService service)
    {
        // What the file does not say is the image's; what neither says is the engine's default.
        if (service.Healthcheck is not { } check)
            return image is null || IsSame(container.Healthcheck, image.Healthcheck);
        if (check.Kind == HealthcheckKind.None)
            return container.Healthcheck is null or { Test: ["NONE"] };
        if (check.Kind == HealthcheckKind.Image && image is null)
            return true;

        var said = service.Source?.Map("healthcheck");
        IReadOnlyList<string> test = check.Kind switch
        {
            HealthcheckKind.Image => image!.Healthcheck?.Test ?? [],
            HealthcheckKind.Shell => ["CMD-SHELL", .. check.Test],
            _ => ["CMD", .. check.Test],
        };
        if (test.Count == 0)
            return container.Healthcheck is null;

        var basis = image?.Healthcheck;
        return IsSame(container.Healthcheck, new ContainerHealthcheck
        {
            Test = test,
            Interval = Says("interval") ? check.Interval : basis?.Interval ?? check.Interval,
            Timeout = Says("timeout") ? check.Timeout : basis?.Timeout ?? check.Timeout,
            StartPeriod = Says("start_period") ? check.StartPeriod : basis?.StartPeriod ?? check.StartPeriod,
            StartInterval = Says("start_interval") ? check.StartInterval : basis?.StartInterval ?? check.StartInterval,
            Retries = Says("retries") ? check.Retries : basis?.Retries ?? check.Retries,
        });

        // Zero says nothing either.
        bool Says(string key) => said is null || (said.Text(key) is { } text && text.Any(c => c is >= '1' and <= '9'));
    }

    private static bool IsSame(ContainerHealthcheck? one, ContainerHealthcheck? other) =>
        one is null || other is null
            ? (one is null or { Test: ["NONE"] }) && (other is null or { Test: ["NONE"] })
            : one.Test.SequenceEqual(other.Test) && (one with { Test = other.Test }) == other;

    private static bool HasRestartPolicyOf(ContainerDetails container, ComposeService service)
    {
        var parts = (service.Restart is null or "" ? "no" : service.Restart).Split(':');
        _ = int.TryParse(parts.ElementAtOrDefault(1), CultureInfo.InvariantCulture, out var limit);
        return container.RestartPolicy == parts[0] && container.RestartLimit == limit;
    }

    private static bool HasDevicesOf(ContainerDetails container, ComposeService service)
    {
        // What is neither counted nor named the versions of Compose pass on as 0 or as all.
        var has = container.DeviceRequests.Select(request => Described(
            request.Driver, request is { Count: 0, DeviceIds.Count: 0 } ? -1 : request.Count, request.DeviceIds, request.Capabilities));
        var wanted = service.DeviceReservations.Select(reservation => Described(
            reservation.Driver, reservation.DeviceIds.Count > 0 ? 0 : reservation.Count ?? -1, reservation.DeviceIds, reservation.Capabilities));
        return has.Order(StringComparer.Ordinal).SequenceEqual(wanted.Order(StringComparer.Ordinal)) && (service.Runtime is null || service.Runtime == container.Runtime);

        static string Described(string? driver, int count, IEnumerable<string> devices, IEnumerable<string> capabilities) =>
            string.Create(CultureInfo.InvariantCulture, $"{driver} {count} {string.Join(',', devices.Order(StringComparer.Ordinal))} {string.Join(',', capabilities.Order(StringComparer.Ordinal))}");
    }
}
