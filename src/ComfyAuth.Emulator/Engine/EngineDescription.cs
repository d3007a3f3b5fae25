using System.Text.Json.Nodes;
using ComfyAuth.Docker;

namespace ComfyAuth.Emulator.Engine;

/// <summary>What the engine says of itself: a small Linux machine.</summary>
internal static class EngineDescription
{
    public const int Cpus = 2;
    public const long Memory = 16L << 30;
    private const string Release = "20.10.24";
    private const string Kernel = "6.1.0-emulated";
    private const string Commit = "emulated";
    private const string Go = "go1.19.8";

    public static JsonObject Version()
    {
        const string built = "2026-01-02T03:04:05.000000000+00:00";
        return new JsonObject
        {
            ["Platform"] = new JsonObject { ["Name"] = "" },
            ["Components"] = new JsonArray(
                Component("Engine", Release, new()
                {
                    ["ApiVersion"] = EngineApi.Version,
                    ["Arch"] = "amd64",
                    ["BuildTime"] = built,
                    ["Experimental"] = "false",
                    ["GitCommit"] = Commit,
                    ["GoVersion"] = Go,
                    ["KernelVersion"] = Kernel,
                    ["MinAPIVersion"] = EngineApi.OldestVersion,
                    ["Os"] = "linux",
                }),
                Component("containerd", "1.6.20", new() { ["GitCommit"] = Commit }),
                Component("runc", "1.1.5", new() { ["GitCommit"] = Commit }),
                Component("docker-init", "0.19.0", new() { ["GitCommit"] = "" })),
            ["Version"] = Release,
            ["ApiVersion"] = EngineApi.Version,
            ["MinAPIVersion"] = EngineApi.OldestVersion,
            ["GitCommit"] = Commit,
            ["GoVersion"] = Go,
            ["Os"] = "linux",
            ["Arch"] = "amd64",
            ["KernelVersion"] = Kernel,
            ["BuildTime"] = built,
        };
    }

    public static JsonObject Information(EngineState state)
    {
        var containers = state.Containers;
        var paused = containers.Count(container => container.State == ContainerState.Paused);
        var running = containers.Count(container => container.IsRunning) - paused;
        return new JsonObject
        {
            ["ID"] = "EMUL:ATED:EMUL:ATED:EMUL:ATED:EMUL:ATED:EMUL:ATED:EMUL:ATED",
            ["Containers"] = containers.Count,
            ["ContainersRunning"] = running,
            ["ContainersPaused"] = paused,
            ["ContainersStopped"] = containers.Count - running - paused,
            ["Images"] = containers.Select(container => container.Image).Distinct().Count(),
            ["Driver"] = "overlay2",
            ["DriverStatus"] = new JsonArray(new JsonArray("Backing Filesystem", "extfs")),
            ["Plugins"] = new JsonObject
            {
                ["Volume"] = new JsonArray("local"),
                ["Network"] = new JsonArray("bridge", "host", "null"),
                ["Authorization"] = null,
                ["Log"] = new JsonArray("json-file", "local"),
            },
            ["NFd"] = 22,
            ["NGoroutines"] = 39,
            ["SystemTime"] = EngineJson.Time(state.Now),
            ["LoggingDriver"] = "json-file",
            ["CgroupDriver"] = "cgroupfs",
            ["CgroupVersion"] = "1",
            ["NEventsListener"] = 0,
            ["KernelVersion"] = Kernel,
            ["OperatingSystem"] = "Emulated Linux",
            ["OSVersion"] = "1",
            ["OSType"] = "linux",
            ["Architecture"] = "x86_64",
            ["IndexServerAddress"] = "https://index.docker.io/v1/",
            ["RegistryConfig"] = new JsonObject
            {
                ["InsecureRegistryCIDRs"] = new JsonArray("127.0.0.0/8"),
                ["IndexConfigs"] = new JsonObject { ["docker.io"] = new JsonObject { ["Name"] = "docker.io", ["Mirrors"] = new JsonArray(), ["Secure"] = true, ["Official"] = true } },
            }.With(new JsonArray(), "AllowNondistributableArtifactsCIDRs AllowNondistributableArtifactsHostnames Mirrors"),
            ["NCPU"] = Cpus,
            ["MemTotal"] = Memory,
            ["GenericResources"] = null,
            ["DockerRootDir"] = "/var/lib/docker",
            ["Name"] = "emulator",
            ["Labels"] = new JsonArray(),
            ["ServerVersion"] = Release,
            ["Runtimes"] = new JsonObject { ["runc"] = new JsonObject { ["path"] = "runc" } },
            ["DefaultRuntime"] = "runc",
            ["Swarm"] = new JsonObject { ["LocalNodeState"] = "inactive", ["ControlAvailable"] = false, ["RemoteManagers"] = null }.With("", "NodeID NodeAddr Error"),
            ["InitBinary"] = "docker-init",
            ["ContainerdCommit"] = CommitOf(),
            ["RuncCommit"] = CommitOf(),
            ["InitCommit"] = CommitOf(),
            ["SecurityOptions"] = new JsonArray("name=seccomp,profile=default"),
            ["Warnings"] = null,
        }
            .With(true, "MemoryLimit SwapLimit KernelMemory KernelMemoryTCP CpuCfsPeriod CpuCfsQuota CPUShares CPUSet PidsLimit IPv4Forwarding BridgeNfIptables BridgeNfIp6tables OomKillDisable")
            .With(false, "Debug ExperimentalBuild LiveRestoreEnabled")
            .With("", "HttpProxy HttpsProxy NoProxy Isolation");
    }

    private static JsonObject Component(string name, string version, JsonObject details) => new() { ["Name"] = name, ["Version"] = version, ["Details"] = details };

    private static JsonObject CommitOf() => new() { ["ID"] = Commit, ["Expected"] = Commit };
}
