using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;

namespace ComfyAuth.Emulator.Tests.Engine;

/// <summary>Containers to test with.</summary>
internal static class Sample
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    /// <summary>One that has something of everything that the engine tells of a container.</summary>
    public static EmulatedContainer Up { get; } = new()
    {
        Name = "up",
        Image = "python:3.11",
        CreatedAt = Start.AddSeconds(-1),
        StartedAt = Start,
        Health = ContainerHealthStatus.Unhealthy,
        HealthFailingStreak = 7,
        HealthLog = [new(Start.AddSeconds(30), Start.AddSeconds(31), 22, "curl: (22) The requested URL returned error: 401\n")],
        Healthcheck = new() { Test = ["CMD-SHELL", "curl -f http://localhost:8188/"], Interval = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromSeconds(10), StartPeriod = TimeSpan.FromSeconds(120), Retries = 5 },
        Entrypoint = ["/bin/sh", "-c"],
        Command = ["sleep 1000"],
        Environment = ["A=1", "COMFYUI_RAW_TOKEN=hidden-in-the-environment"],
        Labels = new Dictionary<string, string> { ["com.docker.compose.project"] = "genai" },
        Ports = [new(8188, "tcp", "127.0.0.1", 8188), new(9000, "udp", "", null)],
        Mounts = [new("bind", "", "/srv/models", "/models", true), new("volume", "cache", "/var/lib/docker/volumes/cache/_data", "/cache", false)],
        Log = [new(ContainerLogStream.StandardOutput, Start, "one"), new(ContainerLogStream.StandardError, Start.AddSeconds(1), "two é"), new(ContainerLogStream.StandardOutput, Start.AddSeconds(2), "three")],
        Processes = ["python main.py", "pip install torch"],
        Load = new() { Cpus = 0.5, Memory = 1 << 30, FileCache = 1 << 20, ReceivedPerSecond = 1000, WrittenPerSecond = 10 },
        MemoryLimit = 8L << 30,
        DeviceRequests = [new("nvidia", -1, [], ["gpu"])],
        Init = true,
        Files = new Dictionary<string, EmulatedFile>
        {
            ["/etc/motd"] = new("hello\n"),
            ["/etc/link"] = new("") { LinkTarget = "/etc/motd" },
            ["/secret"] = EmulatedFile.Directory,
        },
    };

    public static EmulatedContainer Ended { get; } = Up with { Name = "ended", State = ContainerState.Exited, FinishedAt = Start.AddSeconds(60), ExitCode = 137, CreatedAt = Start.AddSeconds(-2) };

    public static EmulatedContainer Paused { get; } = Up with { Name = "paused", State = ContainerState.Paused, Tty = true, CreatedAt = Start.AddSeconds(-3), Network = "host" };

    public static IReadOnlyList<EmulatedContainer> All { get; } = [Up, Ended, Paused];

    /// <summary>As the recording's container: what is told depends on what there is.</summary>
    public static EmulatedContainer Recorded { get; } = Up with
    {
        Network = "host",
        Healthcheck = Up.Healthcheck! with { StartPeriod = TimeSpan.Zero },
        Ports = [new(8188, "tcp", "127.0.0.1", 8188)],
        Mounts = [Up.Mounts[0]],
        DeviceRequests = [],
        Init = null,
        Load = new(),
    };
}
