using System.Globalization;
using System.Net;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Checks of what a container may do to the machine that it runs on, and who can reach it: custom nodes are programs of strangers.</summary>
internal static class HardeningChecks
{
    /// <summary>Folders of a host whose programs and settings run or steer it (Filesystem Hierarchy Standard), and those of its users.</summary>
    private static readonly string[] HostFolders = ["/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var", "/var/lib", "/var/lib/docker", "/var/run"];

    /// <summary>Files of the system that many containers get, and that give nothing away.</summary>
    private static readonly string[] HarmlessFiles = ["/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/resolv.conf"];

    public static IReadOnlyList<Check> All { get; } =
    [
        Of(
            "hardening.user",
            "Processes are not root",
            "What breaks out of a container as root is root on the engine's machine, and files that it writes into mounted folders belong to root.",
            "Set 'user:' in the compose file to a user of the image, or to the owner of the mounted folders such as \"1000:1000\".",
            (_, _, container) => container.User.Split(':')[0] is "" or "root" or "0"
                ? CheckOutcome.Warning($"The processes of the container run as root{(container.User.Length == 0 ? ", because nobody says otherwise" : "")}.")
                : CheckOutcome.Passed($"The processes of the container run as {container.User}.")),
        Of(
            "hardening.privileged",
            "Container is not privileged",
            "A privileged container has all devices and all rights of the engine's machine. A GPU does not need that.",
            "Take 'privileged: true' out of the compose file, and add single capabilities with cap_add where some are needed.",
            (_, _, container) => container.Privileged
                ? CheckOutcome.Failed("The container is privileged: whoever takes over the service takes over the machine.")
                : CheckOutcome.Passed("The container is not privileged."),
            weight: 2),
        Of(
            "hardening.limits",
            "Memory is limited",
            "Without a limit a workflow that needs too much memory takes it from the whole machine, and the kernel ends whatever program it chooses.",
            "Set 'mem_limit' or deploy.resources.limits.memory in the compose file, to less than the machine has and more than the largest model.",
            (_, _, container) => container.MemoryLimit is { } limit
                ? CheckOutcome.Passed($"The memory of the container is limited to {ByteSize.Format(limit)}.")
                : CheckOutcome.Warning("The container may take all memory of the machine.")),
        Of(
            "hardening.ports",
            "Ports are published to this machine only",
            "A port that is published on all addresses can be reached from the network, past most firewalls, because the engine writes its own rules. Without a login everyone may then use the service, and with one over http everyone on the way reads the token.",
            "Publish the port on 127.0.0.1, as in \"127.0.0.1:8188:8188\", and put a proxy with TLS before it for others.",
            Ports,
            weight: 2),
        Of(
            "hardening.mounts",
            "Nothing of the machine is mounted",
            "Whoever has the engine's socket, or the folders of the machine's system, has the machine.",
            "Mount only the folders that the service works with; models and settings can be mounted read-only.",
            Mounts,
            weight: 2),
    ];

    private static CheckOutcome Ports(CheckContext context, ContainerSnapshot snapshot, ContainerDetails container)
    {
        var service = snapshot.Service;
        string[] open =
        [
            .. container.Ports.Where(port => port.PublicPort is not null && !IsLoopback(port.HostAddress)).Select(PortText.Of),
            .. container.NetworkMode == "host" ? ["the network of the host: every port that the service listens on"] : Array.Empty<string>(),
        ];
        if (open.Length == 0)
            return CheckOutcome.Passed("No port of the container can be reached from other machines.");
        if (service.Auth == AuthKind.None || snapshot.Readings.IsProtected == false)
            return CheckOutcome.Failed($"The service has no login{(service.Auth == AuthKind.None ? "" : " that works")}, and its port can be reached from other machines.", open);
        return service.Url.Scheme == Uri.UriSchemeHttps
            ? CheckOutcome.Passed("The port can be reached from other machines, with TLS and a login.", open)
            : CheckOutcome.Warning("The port can be reached from other machines without TLS: token, password and pictures cross the network readable.", open);
    }

    private static bool IsLoopback(string address) => IPAddress.TryParse(address, out var parsed) && IPAddress.IsLoopback(parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed);

    private static CheckOutcome Mounts(CheckContext context, ContainerSnapshot snapshot, ContainerDetails container)
    {
        List<string> faults = [], weaknesses = [];
        foreach (var mount in container.Mounts.Where(mount => mount.Type == "bind" || mount.Type == "npipe"))
        {
            // Docker Desktop's engine runs in a virtual machine, and tells where it sees the files of the host.
            var source = mount.Source.Replace('\\', '/');
            source = source.Length > 1 ? source.TrimEnd('/') : source;
            var what = $"{mount.Source} on {mount.Destination}{(mount.ReadOnly ? ", read-only" : "")}";
            if (source.EndsWith("/docker.sock", StringComparison.Ordinal) || source.EndsWith("/containerd.sock", StringComparison.Ordinal) || source.EndsWith("/docker_engine", StringComparison.Ordinal))
                faults.Add($"the engine's socket: {what}");
            else if (source.Length == 0 || source is "/" or [_, ':'] or [_, ':', '/'] or "/host_mnt" or "/run/desktop/mnt/host" || (source.StartsWith("/run/desktop/mnt/host/", StringComparison.Ordinal) && source.Length == "/run/desktop/mnt/host/c".Length))
                faults.Add($"a whole disk: {what}");
            else if (HostFolders.Contains(source, StringComparer.Ordinal) || (source.StartsWith("/etc/", StringComparison.Ordinal) && !HarmlessFiles.Contains(source, StringComparer.Ordinal)) || IsWindowsFolder(source))
                (mount.ReadOnly ? weaknesses : faults).Add($"a folder of the system: {what}");
        }

        return faults.Count > 0 ? CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{faults.Count} of the mounts {(faults.Count == 1 ? "gives" : "give")} the machine away."), [.. faults, .. weaknesses])
            : weaknesses.Count > 0 ? CheckOutcome.Warning("Folders of the machine's system are mounted, read-only.", weaknesses)
            : CheckOutcome.Passed("Nothing of the machine's system is mounted.");
    }

    private static bool IsWindowsFolder(string source) =>
        source.AsSpan(Math.Min(1, source.Length)).StartsWith(":/Windows", StringComparison.OrdinalIgnoreCase) || source.EndsWith(":/Users", StringComparison.OrdinalIgnoreCase);

    private static Check Of(string id, string title, string meaning, string remedy, Func<CheckContext, ContainerSnapshot, ContainerDetails, CheckOutcome> judge, double weight = 1) =>
        new(id, title, meaning, remedy, ContainerChecks.Any, ContainerChecks.WithDetails(judge)) { DependsOn = [ContainerChecks.Running], Weight = weight };
}
