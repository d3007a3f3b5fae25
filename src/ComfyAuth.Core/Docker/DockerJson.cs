using System.Text.Json.Serialization;

namespace ComfyAuth.Docker;

// The engine leaves out, or sends as null, whatever is empty, and adds fields with each version: everything here may be
// missing, and what is not here is skipped. Times stay text, because implementations differ in what an empty one is.
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DockerConfigFile))]
[JsonSerializable(typeof(DockerContextFile))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(InfoAnswer))]
[JsonSerializable(typeof(ContainerListAnswer[]))]
[JsonSerializable(typeof(ContainerAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(EventAnswer))]
[JsonSerializable(typeof(CreatedAnswer))]
[JsonSerializable(typeof(WaitAnswer))]
[JsonSerializable(typeof(ExecAnswer))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(CreateRequest))]
[JsonSerializable(typeof(PathStatAnswer))]
[JsonSerializable(typeof(ImageListAnswer[]))]
[JsonSerializable(typeof(ImageAnswer))]
[JsonSerializable(typeof(ProgressAnswer))]
[JsonSerializable(typeof(NameAnswer[]))]
[JsonSerializable(typeof(VolumeListAnswer))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
internal sealed partial class DockerJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatsAnswer))]
internal sealed partial class DockerStatsJson : JsonSerializerContext;

internal sealed record DockerConfigFile([property: JsonPropertyName("currentContext")] string? CurrentContext);

internal sealed record DockerContextFile(string? Name, Dictionary<string, DockerContextEndpoint>? Endpoints);

internal sealed record DockerContextEndpoint(string? Host, bool SkipTLSVerify);

internal sealed record ErrorAnswer([property: JsonPropertyName("message")] string? Message);

internal sealed record VersionAnswer(string? Version, string? ApiVersion, string? MinAPIVersion, string? Os, string? Arch, string? KernelVersion);

internal sealed record InfoAnswer(
    string? Name,
    string? ServerVersion,
    string? OperatingSystem,
    string? OSType,
    string? Architecture,
    string? Driver,
    string? CgroupVersion,
    string? DockerRootDir,
    string? DefaultRuntime,
    Dictionary<string, object?>? Runtimes,
    bool MemoryLimit,
    [property: JsonPropertyName("NCPU")] int Cpus,
    [property: JsonPropertyName("MemTotal")] long MemTotal,
    string[]? Warnings,
    DeviceAnswer[]? DiscoveredDevices);

internal sealed record DeviceAnswer(string? Source, [property: JsonPropertyName("ID")] string? Id);

internal sealed record ContainerListAnswer(
    string? Id, string[]? Names, string? Image, string? ImageID, long Created, string? State, string? Status, PortAnswer[]? Ports, Dictionary<string, string>? Labels);

internal sealed record PortAnswer(string? IP, int PrivatePort, int? PublicPort, string? Type);

internal sealed record ContainerAnswer(
    string? Id,
    string? Created,
    string? Name,
    string? Image,
    int RestartCount,
    StateAnswer? State,
    ConfigAnswer? Config,
    HostConfigAnswer? HostConfig,
    MountAnswer[]? Mounts,
    NetworkAnswer? NetworkSettings);

internal sealed record StateAnswer(
    string? Status, bool OOMKilled, int Pid, int ExitCode, string? Error, string? StartedAt, string? FinishedAt, HealthAnswer? Health);

internal sealed record HealthAnswer(string? Status, int FailingStreak, HealthLogAnswer[]? Log);

internal sealed record HealthLogAnswer(string? Start, string? End, int ExitCode, string? Output);

internal sealed record ConfigAnswer(
    string? User,
    bool Tty,
    string[]? Env,
    string[]? Cmd,
    string[]? Entrypoint,
    string? Image,
    string? WorkingDir,
    Dictionary<string, string>? Labels,
    HealthcheckAnswer? Healthcheck);

internal sealed record HealthcheckAnswer(string[]? Test, long? Interval, long? Timeout, long? StartPeriod, long? StartInterval, int? Retries);

internal sealed record HostConfigAnswer(
    string[]? Binds,
    string? NetworkMode,
    RestartPolicyAnswer? RestartPolicy,
    long? Memory,
    long? MemorySwap,
    bool? Privileged,
    bool? Init,
    bool? AutoRemove,
    string? Runtime,
    LogConfigAnswer? LogConfig,
    DeviceRequestAnswer[]? DeviceRequests,
    Dictionary<string, PortBindingAnswer[]?>? PortBindings,
    MountRequest[]? Mounts = null,
    Dictionary<string, string>? Tmpfs = null);

internal sealed record MountRequest(string Type, string Source, string Target, bool ReadOnly);

internal sealed record RestartPolicyAnswer(string? Name, int MaximumRetryCount);

internal sealed record LogConfigAnswer(string? Type, Dictionary<string, string>? Config);

internal sealed record DeviceRequestAnswer(string? Driver, int Count, string[]? DeviceIDs, string[][]? Capabilities);

internal sealed record PortBindingAnswer(string? HostIp, string? HostPort);

internal sealed record MountAnswer(string? Type, string? Name, string? Source, string? Destination, bool RW);

internal sealed record NetworkAnswer(Dictionary<string, PortBindingAnswer[]?>? Ports);

internal sealed record NameAnswer(string? Name);

internal sealed record VolumeListAnswer(NameAnswer[]? Volumes);

internal sealed record TopAnswer(string[]? Titles, string[][]? Processes);

internal sealed record EventAnswer(
    string? Type, string? Action, EventActorAnswer? Actor, [property: JsonPropertyName("timeNano")] long TimeNano, [property: JsonPropertyName("time")] long Time);

internal sealed record EventActorAnswer(string? ID, Dictionary<string, string>? Attributes);

internal sealed record CreatedAnswer(string? Id);

internal sealed record WaitAnswer(int StatusCode, WaitErrorAnswer? Error);

internal sealed record WaitErrorAnswer(string? Message);

internal sealed record ExecAnswer(bool Running, int? ExitCode);

internal sealed record ExecRequest(bool AttachStdout, bool AttachStderr, IEnumerable<string> Cmd, string? User, string? WorkingDir, IEnumerable<string>? Env);

internal sealed record ExecStartRequest(bool Detach, bool Tty);

internal sealed record CreateRequest(
    string Image,
    string? User,
    bool Tty,
    IEnumerable<string>? Env,
    IEnumerable<string>? Cmd,
    IEnumerable<string>? Entrypoint,
    string? WorkingDir,
    IReadOnlyDictionary<string, string>? Labels,
    HealthcheckAnswer? Healthcheck,
    Dictionary<string, Dictionary<string, string>>? ExposedPorts,
    HostConfigAnswer HostConfig);

internal sealed record PathStatAnswer(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("size")] long Size,
    [property: JsonPropertyName("mode")] uint Mode,
    [property: JsonPropertyName("mtime")] string? Modified,
    [property: JsonPropertyName("linkTarget")] string? LinkTarget);

internal sealed record ImageListAnswer(string? Id, string[]? RepoTags, string[]? RepoDigests, long Created, long Size, Dictionary<string, string>? Labels);

internal sealed record ImageAnswer(string? Id, string[]? RepoTags, string[]? RepoDigests, string? Created, long Size, string? Os, string? Architecture, ConfigAnswer? Config);

internal sealed record ProgressAnswer(
    [property: JsonPropertyName("id")] string? Id,
    [property: JsonPropertyName("status")] string? Status,
    [property: JsonPropertyName("progressDetail")] ProgressDetailAnswer? Detail,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("errorDetail")] ErrorAnswer? ErrorDetail);

internal sealed record ProgressDetailAnswer([property: JsonPropertyName("current")] long? Current, [property: JsonPropertyName("total")] long? Total);

internal sealed record StatsAnswer(string? Read, StatsCpu? CpuStats, StatsMemory? MemoryStats, StatsPids? PidsStats, Dictionary<string, StatsNetwork>? Networks, StatsBlock? BlkioStats);

internal sealed record StatsCpu(StatsCpuUsage? CpuUsage, ulong SystemCpuUsage, int OnlineCpus);

internal sealed record StatsCpuUsage(ulong TotalUsage, ulong[]? PercpuUsage);

internal sealed record StatsMemory(ulong Usage, ulong Limit, Dictionary<string, ulong>? Stats);

internal sealed record StatsPids(ulong Current);

internal sealed record StatsNetwork(ulong RxBytes, ulong TxBytes);

internal sealed record StatsBlock(StatsBlockEntry[]? IoServiceBytesRecursive);

internal sealed record StatsBlockEntry(string? Op, ulong Value);
