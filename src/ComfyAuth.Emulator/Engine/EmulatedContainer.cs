using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Docker;

namespace ComfyAuth.Emulator.Engine;

/// <summary>A container of an emulated engine, and the state that it is in.</summary>
public sealed record EmulatedContainer
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The image it was made from, as it was named.</summary>
    public required string Image { get; init; }

    /// <summary>The identifier, which follows from the name: 64 hexadecimal digits.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("container " + Name)));

    /// <summary>The state.</summary>
    public ContainerState State { get; init; } = ContainerState.Running;

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its main process started last; null: never.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When its main process ended last; null: never.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The exit code of its last main process.</summary>
    public int ExitCode { get; init; }

    /// <summary>Whether the kernel killed it for want of memory.</summary>
    public bool OutOfMemoryKilled { get; init; }

    /// <summary>Why it could not be started; empty otherwise.</summary>
    public string Error { get; init; } = "";

    /// <summary>Why the next start fails, such as a port that is taken; empty: it does not.</summary>
    public string StartError { get; init; } = "";

    /// <summary>How long it takes to end when it is asked to. Longer than the grace period: it is killed.</summary>
    public TimeSpan StopTime { get; init; }

    /// <summary>How often the restart policy has started it again.</summary>
    public int RestartCount { get; init; }

    /// <summary>The restart policy.</summary>
    public string RestartPolicy { get; init; } = "unless-stopped";

    /// <summary>What the healthcheck says.</summary>
    public ContainerHealthStatus Health { get; init; }

    /// <summary>How many checks in a row have failed.</summary>
    public int HealthFailingStreak { get; init; }

    /// <summary>The last runs of the healthcheck, the oldest first.</summary>
    public IReadOnlyList<ContainerHealthProbe> HealthLog { get; init; } = [];

    /// <summary>The healthcheck; null: none.</summary>
    public ContainerHealthcheck? Healthcheck { get; init; }

    /// <summary>The entry point.</summary>
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    /// <summary>The command.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>The environment, <c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>The labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The user that its processes run as; empty: root.</summary>
    public string User { get; init; } = "";

    /// <summary>The working directory.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Whether it has a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Whether it has all rights on the engine's machine.</summary>
    public bool Privileged { get; init; }

    /// <summary>Whether an init process reaps its orphans; null: nobody said.</summary>
    public bool? Init { get; init; }

    /// <summary>The memory limit in bytes; null: none.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The OCI runtime.</summary>
    public string Runtime { get; init; } = "runc";

    /// <summary>The reserved devices.</summary>
    public IReadOnlyList<ContainerDeviceRequest> DeviceRequests { get; init; } = [];

    /// <summary>The network; <c>host</c> has no counters of its own.</summary>
    public string Network { get; init; } = "bridge";

    /// <summary>The ports that it asks for, and has while it runs.</summary>
    public IReadOnlyList<ContainerPort> Ports { get; init; } = [];

    /// <summary>What is mounted into it.</summary>
    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    /// <summary>Its log.</summary>
    public IReadOnlyList<ContainerLogLine> Log { get; init; } = [];

    /// <summary>Its processes while it runs; the first is the main one. How long they run follows from the start.</summary>
    public IReadOnlyList<string> Processes { get; init; } = [];

    /// <summary>What it uses.</summary>
    public EmulatedLoad Load { get; init; } = new();

    /// <summary>Its files by absolute path; the directories above them are there too.</summary>
    public IReadOnlyDictionary<string, EmulatedFile> Files { get; init; } = new Dictionary<string, EmulatedFile>();

    /// <summary>Whether its main process is there.</summary>
    public bool IsRunning => State is ContainerState.Running or ContainerState.Paused;
}
