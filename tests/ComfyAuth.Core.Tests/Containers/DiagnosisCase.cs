using System.Text;
using System.Text.Json;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Containers;

/// <summary>A container as an engine and a service showed it, and what is to be concluded from that; see data/cases.tsv.</summary>
internal sealed record DiagnosisCase(string Name, string Rule, ContainerCondition Condition, DiagnosisConfidence Confidence, IReadOnlyList<ContainerCondition> Also, IReadOnlyList<string> Facts, IReadOnlyList<string> Tells)
{
    private static readonly string Data = Path.Combine(AppContext.BaseDirectory, "Containers", "data");

    private static readonly string[] Samples = ["stats1.json", "stats2.json"];

    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public static IReadOnlyList<DiagnosisCase> All { get; } =
    [
        .. File.ReadAllLines(Path.Combine(Data, "cases.tsv")).Where(line => !line.StartsWith('#')).Select(line => line.Split('\t')).Select(cells => new DiagnosisCase(
            cells[0],
            cells[1],
            Enum.Parse<ContainerCondition>(cells[2]),
            Enum.Parse<DiagnosisConfidence>(cells[3]),
            [.. cells[4].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<ContainerCondition>)],
            cells[5].Split(' ', StringSplitOptions.RemoveEmptyEntries),
            cells[6].Split(" | "))),
    ];

    public static DiagnosisCase Named(string name) => All.Single(item => item.Name == name);

    /// <summary>What the observer would make of the engine's answers.</summary>
    public ContainerSnapshot Snapshot()
    {
        var seen = JsonSerializer.Deserialize<Seen>(Text("seen.json")!, Web)!;
        var samples = Samples.Select(Text).OfType<string>().Select(text => ContainerStats.From(JsonSerializer.Deserialize(text, DockerStatsJson.Default.StatsAnswer)!)!).ToList();
        return new ContainerSnapshot
        {
            Stack = "/opt/genai",
            Service = new ServiceDefinition
            {
                Name = "comfyui-qwen",
                Container = "comfyui-qwen",
                Url = new Uri(seen.Url),
                HealthPath = "/system_stats",
                Auth = seen.Auth,
                ComposeFile = "docker-configurations/services/comfyui-qwen/docker-compose.yml",
            },
            TakenAt = seen.TakenAt,
            Container = Text("inspect.json") is { } inspected ? ContainerDetails.From(JsonSerializer.Deserialize(inspected, DockerJson.Default.ContainerAnswer)!) : null,
            Stats = samples.LastOrDefault(),
            Usage = samples.Count == 2 ? ContainerUsage.Between(samples[0], samples[1]) : null,
            Log = Log(),
            Processes = Text("top.json") is { } top
                ? [.. JsonSerializer.Deserialize(top, DockerJson.Default.TopAnswer)!.Processes!.Select(row => new ContainerProcess(int.Parse(row[0]), Elapsed(row[1]), row[2]))]
                : [],
            Events = [.. (Text("events.ndjson") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => EngineEvent.From(JsonSerializer.Deserialize(line, DockerJson.Default.EventAnswer)!))],
            Others = Text("others.json") is { } others ? [.. JsonSerializer.Deserialize(others, DockerJson.Default.ContainerListAnswerArray)!.Select(ContainerSummary.From)] : [],
            MountedDirectories = seen.MountedDirectories,
            MissingMounts = seen.MissingMounts,
            NotSeen = seen.NotSeen,
            Readings = seen.Readings ?? ServiceReadings.None,
        };
    }

    public override string ToString() => Name;

    // As the engine sends the log of a container with a terminal: the lines with their timestamps and nothing else.
    private IReadOnlyList<ContainerLogLine> Log()
    {
        var reader = new ContainerLogReader(tty: true, timestamps: true);
        reader.Append(Encoding.UTF8.GetBytes(Text("log.txt") ?? ""));
        reader.Complete();
        return reader.Take();
    }

    private static TimeSpan Elapsed(string text) => text.Split(':') is [var minutes, var seconds] ? new(0, int.Parse(minutes), int.Parse(seconds)) : TimeSpan.Parse(text);

    private string? Text(string file)
    {
        var path = Path.Combine(Data, Name, file);
        return File.Exists(path) ? File.ReadAllText(path) : null;
    }

    private sealed record Seen
    {
        public required DateTimeOffset TakenAt { get; init; }

        [System.Text.Json.Serialization.JsonConverter(typeof(System.Text.Json.Serialization.JsonStringEnumConverter<AuthKind>))]
        public AuthKind Auth { get; init; }

        public string Url { get; init; } = "http://localhost:8188";

        public ServiceReadings? Readings { get; init; }

        public string[] MountedDirectories { get; init; } = [];

        public string[] MissingMounts { get; init; } = [];

        public string[] NotSeen { get; init; } = [];
    }
}
