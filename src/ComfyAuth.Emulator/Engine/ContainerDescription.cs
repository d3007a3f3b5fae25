using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Docker;

namespace ComfyAuth.Emulator.Engine;

/// <summary>What the engine says of a container, in a list and when it is inspected.</summary>
internal static class ContainerDescription
{
    public static int ProcessId(EmulatedContainer container, int index) => 4000 + (Convert.ToInt32(container.Id[..3], 16) * 16) + index;

    public static JsonObject Summary(EmulatedContainer container, DateTimeOffset now) => new()
    {
        ["Id"] = container.Id,
        ["Names"] = new JsonArray("/" + container.Name),
        ["Image"] = container.Image,
        ["ImageID"] = ImageId(container),
        ["Command"] = string.Join(' ', container.Entrypoint.Concat(container.Command).Select(word => word.Contains(' ') ? $"'{word}'" : word)),
        ["Created"] = container.CreatedAt.ToUnixTimeSeconds(),
        ["Ports"] = new JsonArray([.. container.Ports.Where(_ => container.Network != "host").Select(port => (JsonNode)Port(container, port))]),
        ["Labels"] = EngineJson.Map(container.Labels),
        ["State"] = Word(container.State),
        ["Status"] = Status(container, now),
        ["HostConfig"] = new JsonObject { ["NetworkMode"] = NetworkMode(container) },
        ["NetworkSettings"] = new JsonObject { ["Networks"] = Networks(container) },
        ["Mounts"] = Mounts(container),
    };

    public static JsonObject Inspection(EmulatedContainer container)
    {
        var command = container.Entrypoint.Concat(container.Command).ToList();
        var data = $"/var/lib/docker/containers/{container.Id}";
        var layers = $"/var/lib/docker/overlay2/{container.Id}";
        return new JsonObject
        {
            ["Id"] = container.Id,
            ["Created"] = EngineJson.Time(container.CreatedAt),
            ["Path"] = command.FirstOrDefault() ?? "",
            ["Args"] = EngineJson.Texts(command.Skip(1)),
            ["State"] = State(container),
            ["Image"] = ImageId(container),
            ["ResolvConfPath"] = $"{data}/resolv.conf",
            ["HostnamePath"] = $"{data}/hostname",
            ["HostsPath"] = $"{data}/hosts",
            ["LogPath"] = $"{data}/{container.Id}-json.log",
            ["Name"] = "/" + container.Name,
            ["RestartCount"] = container.RestartCount,
            ["Driver"] = "overlay2",
            ["Platform"] = "linux",
            ["MountLabel"] = "",
            ["ProcessLabel"] = "",
            ["AppArmorProfile"] = "",
            ["ExecIDs"] = null,
            ["HostConfig"] = HostConfig(container),
            ["GraphDriver"] = new JsonObject
            {
                ["Data"] = new JsonObject
                {
                    ["LowerDir"] = $"{layers}/lower",
                    ["MergedDir"] = $"{layers}/merged",
                    ["UpperDir"] = $"{layers}/diff",
                    ["WorkDir"] = $"{layers}/work",
                },
                ["Name"] = "overlay2",
            },
            ["Mounts"] = Mounts(container),
            ["Config"] = Config(container),
            ["NetworkSettings"] = NetworkSettings(container),
        };
    }

    private static JsonObject State(EmulatedContainer container)
    {
        var state = new JsonObject
        {
            ["Status"] = Word(container.State),
            ["Running"] = container.IsRunning || container.State == ContainerState.Restarting,
            ["Paused"] = container.State == ContainerState.Paused,
            ["Restarting"] = container.State == ContainerState.Restarting,
            ["OOMKilled"] = container.OutOfMemoryKilled,
            ["Dead"] = container.State == ContainerState.Dead,
            ["Pid"] = container.IsRunning ? ProcessId(container, 0) : 0,
            ["ExitCode"] = container.ExitCode,
            ["Error"] = container.Error,
            ["StartedAt"] = EngineJson.Time(container.StartedAt),
            ["FinishedAt"] = EngineJson.Time(container.FinishedAt),
        };
        if (container.Health != ContainerHealthStatus.None)
        {
            state["Health"] = new JsonObject
            {
                ["Status"] = Word(container.Health),
                ["FailingStreak"] = container.HealthFailingStreak,
                ["Log"] = new JsonArray(
                [
                    .. container.HealthLog.Select(probe => (JsonNode)new JsonObject
                    {
                        ["Start"] = EngineJson.Time(probe.StartedAt),
                        ["End"] = EngineJson.Time(probe.EndedAt),
                        ["ExitCode"] = probe.ExitCode,
                        ["Output"] = probe.Output,
                    }),
                ]),
            };
        }

        return state;
    }

    private static JsonObject Config(EmulatedContainer container)
    {
        var config = new JsonObject
        {
            ["Hostname"] = container.Id[..12],
            ["Domainname"] = "",
            ["User"] = container.User,
            ["AttachStdin"] = false,
            ["AttachStdout"] = false,
            ["AttachStderr"] = false,
            ["Tty"] = container.Tty,
            ["OpenStdin"] = false,
            ["StdinOnce"] = false,
            ["Env"] = EngineJson.Texts(container.Environment),
            ["Cmd"] = EngineJson.TextsOrNull(container.Command),
            ["Image"] = container.Image,
            ["Volumes"] = null,
            ["WorkingDir"] = container.WorkingDirectory,
            ["Entrypoint"] = EngineJson.TextsOrNull(container.Entrypoint),
            ["OnBuild"] = null,
            ["Labels"] = EngineJson.Map(container.Labels),
        };
        if (container.Ports.Count > 0)
            config["ExposedPorts"] = EngineJson.Members(container.Ports.Select(PortName).Distinct().Select(port => (port, (JsonNode?)new JsonObject())));
        if (container.Healthcheck is { } check)
        {
            var healthcheck = new JsonObject { ["Test"] = EngineJson.Texts(check.Test) };

            // Zeros are left out.
            foreach (var (name, time) in new[] { ("Interval", check.Interval), ("Timeout", check.Timeout), ("StartPeriod", check.StartPeriod) })
            {
                if (time > TimeSpan.Zero)
                    healthcheck[name] = EngineJson.Nanoseconds(time);
            }

            healthcheck["Retries"] = check.Retries;
            config["Healthcheck"] = healthcheck;
        }

        return config;
    }

    private static JsonObject HostConfig(EmulatedContainer container)
    {
        var binds = container.Mounts.Where(mount => mount.Type == "bind").Select(mount => $"{mount.Source}:{mount.Destination}:{(mount.ReadOnly ? "ro" : "rw")}").ToList();
        var config = new JsonObject
        {
            ["Binds"] = EngineJson.TextsOrNull(binds),
            ["LogConfig"] = new JsonObject { ["Type"] = "json-file", ["Config"] = new JsonObject() },
            ["NetworkMode"] = NetworkMode(container),
            ["PortBindings"] = Bindings(container.Ports.Where(port => port.PublicPort is not null)),
            ["RestartPolicy"] = new JsonObject { ["Name"] = container.RestartPolicy, ["MaximumRetryCount"] = 0 },
            ["CgroupnsMode"] = "host",
            ["IpcMode"] = "private",
            ["Privileged"] = container.Privileged,
            ["ShmSize"] = 64L << 20,
            ["Runtime"] = container.Runtime,
            ["ConsoleSize"] = new JsonArray(0, 0),
            ["Memory"] = container.MemoryLimit ?? 0,
            ["MemorySwap"] = (container.MemoryLimit ?? 0) * 2,
            ["DeviceRequests"] = container.DeviceRequests.Count == 0 ? null : new JsonArray(
            [
                .. container.DeviceRequests.Select(request => (JsonNode)new JsonObject
                {
                    ["Driver"] = request.Driver,
                    ["Count"] = request.Count,
                    ["DeviceIDs"] = EngineJson.TextsOrNull(request.DeviceIds),
                    ["Capabilities"] = new JsonArray(EngineJson.Texts(request.Capabilities)),
                    ["Options"] = new JsonObject(),
                }),
            ]),
            ["MaskedPaths"] = new JsonArray("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys"),
            ["ReadonlyPaths"] = new JsonArray("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"),
        }
            .With(false, "AutoRemove PublishAllPorts ReadonlyRootfs OomKillDisable")
            .With("", "ContainerIDFile VolumeDriver Cgroup PidMode UTSMode UsernsMode Isolation CgroupParent CpusetCpus CpusetMems")
            .With(0, "OomScoreAdj CpuShares NanoCpus BlkioWeight CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime KernelMemory KernelMemoryTCP MemoryReservation CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth")
            .With(null, "VolumesFrom CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links SecurityOpt BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps Devices DeviceCgroupRules MemorySwappiness PidsLimit Ulimits");
        if (container.Init is { } init)
            config["Init"] = init;
        return config;
    }

    private static JsonObject NetworkSettings(EmulatedContainer container) => new JsonObject
    {
        ["SandboxID"] = container.IsRunning ? container.Id : "",
        ["HairpinMode"] = false,
        ["Ports"] = container.IsRunning && container.Network != "host" ? Bindings(container.Ports) : new JsonObject(),
        ["SandboxKey"] = container.IsRunning ? $"/var/run/docker/netns/{container.Id[..12]}" : "",
        ["SecondaryIPAddresses"] = null,
        ["SecondaryIPv6Addresses"] = null,
        ["Networks"] = Networks(container),
    }
        .With("", "Bridge LinkLocalIPv6Address EndpointID Gateway GlobalIPv6Address IPAddress IPv6Gateway MacAddress")
        .With(0, "LinkLocalIPv6PrefixLen GlobalIPv6PrefixLen IPPrefixLen");

    private static JsonObject Networks(EmulatedContainer container) => new()
    {
        [container.Network] = new JsonObject { ["NetworkID"] = Digest("network " + container.Network) }
            .With(null, "IPAMConfig Links Aliases DriverOpts")
            .With("", "EndpointID Gateway IPAddress IPv6Gateway GlobalIPv6Address MacAddress")
            .With(0, "IPPrefixLen GlobalIPv6PrefixLen"),
    };

    private static JsonArray Mounts(EmulatedContainer container) => new(
    [
        .. container.Mounts.Select(mount =>
        {
            var json = new JsonObject { ["Type"] = mount.Type };
            if (mount.Name.Length > 0)
                json["Name"] = mount.Name;
            json["Source"] = mount.Source;
            json["Destination"] = mount.Destination;
            if (mount.Type == "volume")
                json["Driver"] = "local";
            json["Mode"] = mount.ReadOnly ? "ro" : "rw";
            json["RW"] = !mount.ReadOnly;
            json["Propagation"] = mount.Type == "bind" ? "rprivate" : "";
            return (JsonNode)json;
        }),
    ]);

    private static JsonObject Port(EmulatedContainer container, ContainerPort port)
    {
        var json = new JsonObject();
        if (container.IsRunning && port.PublicPort is { } published)
        {
            json["IP"] = HostAddress(port);
            json["PrivatePort"] = port.PrivatePort;
            json["PublicPort"] = published;
        }
        else
        {
            json["PrivatePort"] = port.PrivatePort;
        }

        json["Type"] = port.Protocol;
        return json;
    }

    private static JsonObject Bindings(IEnumerable<ContainerPort> ports) => EngineJson.Members(ports.GroupBy(PortName).Select(port =>
    {
        var published = port.Where(one => one.PublicPort is not null).Select(one =>
            (JsonNode)new JsonObject { ["HostIp"] = HostAddress(one), ["HostPort"] = one.PublicPort?.ToString(CultureInfo.InvariantCulture) }).ToList();
        return (port.Key, (JsonNode?)(published.Count == 0 ? null : new JsonArray([.. published])));
    }));

    private static string HostAddress(ContainerPort port) => port.HostAddress.Length == 0 ? "0.0.0.0" : port.HostAddress;

    private static string PortName(ContainerPort port) => $"{port.PrivatePort}/{port.Protocol}";

    private static string NetworkMode(EmulatedContainer container) => container.Network == "bridge" ? "default" : container.Network;

    private static string ImageId(EmulatedContainer container) => "sha256:" + Digest(container.Image);

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Word<T>(T value)
        where T : struct, Enum =>
        value.ToString().ToLowerInvariant();

    private static string Status(EmulatedContainer container, DateTimeOffset now) => container.State switch
    {
        ContainerState.Running => $"Up {Roughly(now - container.StartedAt)}" + container.Health switch
        {
            ContainerHealthStatus.None => "",
            ContainerHealthStatus.Starting => " (health: starting)",
            var health => $" ({Word(health)})",
        },
        ContainerState.Paused => $"Up {Roughly(now - container.StartedAt)} (Paused)",
        ContainerState.Restarting => $"Restarting ({container.ExitCode}) {Roughly(now - container.FinishedAt)} ago",
        ContainerState.Removing => "Removal In Progress",
        ContainerState.Exited => $"Exited ({container.ExitCode}) {Roughly(now - container.FinishedAt)} ago",
        ContainerState.Dead => "Dead",
        _ => "Created",
    };

    /// <summary>A time as the engine tells it to people.</summary>
    private static string Roughly(TimeSpan? time)
    {
        var (seconds, minutes, hours) = ((int)(time?.TotalSeconds ?? 0), (int)(time?.TotalMinutes ?? 0), (int)Math.Round(time?.TotalHours ?? 0, MidpointRounding.AwayFromZero));
        return (seconds, minutes, hours) switch
        {
            ( < 1, _, _) => "Less than a second",
            (1, _, _) => "1 second",
            ( < 60, _, _) => $"{seconds} seconds",
            (_, 1, _) => "About a minute",
            (_, < 60, _) => $"{minutes} minutes",
            (_, _, 1) => "About an hour",
            (_, _, < 48) => $"{hours} hours",
            (_, _, < 24 * 14) => $"{hours / 24} days",
            (_, _, < 24 * 60) => $"{hours / 24 / 7} weeks",
            (_, _, < 24 * 365 * 2) => $"{hours / 24 / 30} months",
            _ => $"{hours / 24 / 365} years",
        };
    }
}
