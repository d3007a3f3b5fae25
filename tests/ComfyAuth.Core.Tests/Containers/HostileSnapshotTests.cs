using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using CsCheck;

namespace ComfyAuth.Tests.Containers;

/// <summary>What containers write and engines answer is not to be trusted.</summary>
public sealed class HostileSnapshotTests
{
    private const string Hash = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
    private const string Password = "pa:ss,w0rd";

    private static readonly string[] Answers = ["ready", "installing", "token-refused"];

    public static TheoryData<string> Rows =>
    [
        new string('a', 65536),
        new string(' ', 65536),
        new string('\r', 65536),
        new string('/', 65536),
        new string('0', 65536),
        new string('\'', 65536),
        new string('"', 65536),
        new string('$', 65536),
        "Collecting " + new string('x', 65536),
        "Get:1 " + string.Concat(Enumerable.Repeat("a ", 32768)),
        "mounting \"" + string.Concat(Enumerable.Repeat("\" to rootfs at \"", 4096)),
        "[Errno 98]" + string.Concat(Enumerable.Repeat("('', 1", 8192)),
        string.Concat(Enumerable.Repeat("nvidia-container-cli: ", 4096)),
        string.Concat(Enumerable.Repeat("curl: (22) ", 8192)),
        string.Concat(Enumerable.Repeat("\u001b[31m", 8192)),
        string.Concat(Enumerable.Repeat(": not found ", 8192)),
    ];

    private static ContainerDetails Running { get; } = DiagnosisCase.Named("installing").Snapshot().Container!;

    private static ContainerSnapshot Loud(string text)
    {
        var quiet = DiagnosisCase.Named("installing").Snapshot();
        return quiet with
        {
            Container = quiet.Container! with { Error = text, HealthLog = [new(quiet.TakenAt, quiet.TakenAt, 1, text)] },
            Log = [.. Enumerable.Repeat(new ContainerLogLine(ContainerLogStream.StandardOutput, quiet.TakenAt, text), 20)],
            Processes = [new(1, TimeSpan.FromMinutes(1), text), new(1, null, "pip install " + text), new(1, null, "git clone " + text), new(1, null, "wget http://" + text)],
            NotSeen = [text],
        };
    }

    private static IEnumerable<string> Texts(ContainerDiagnosis diagnosis) => [diagnosis.Message, .. diagnosis.Evidence, diagnosis.Remedy, diagnosis.Package ?? ""];

    private static void AssertFit(ContainerDiagnosis diagnosis)
    {
        Assert.NotEmpty(diagnosis.Message);
        Assert.True(diagnosis.Evidence.Count <= 10);
        Assert.All(diagnosis.Evidence.Append(diagnosis.Package ?? ""), line => Assert.True(line.Length <= 200));
        Assert.True(diagnosis.Message.Length <= 600 && diagnosis.Remedy.Length <= 600);
        Assert.All(Texts(diagnosis), text => Assert.DoesNotContain(text, char.IsControl));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_huge_line_is_cut_whatever_it_is(string text)
    {
        AssertFit(ContainerDiagnostician.Diagnose(Loud(text), new()));
        AssertFit(ContainerDiagnostician.Diagnose(Loud(text) with { Readings = DiagnosisCase.Named("ready").Snapshot().Readings }, new()));
        AssertFit(ContainerDiagnostician.Diagnose(Loud(text) with { Container = Loud(text).Container! with { State = ContainerState.Exited, StartedAt = null } }, new()));
    }

    [Theory]
    [InlineData("For direct API calls, use token=" + Hash)]
    [InlineData("Collecting " + Hash)]
    [InlineData("Cloning into '" + Password + "'...")]
    [InlineData("sh: 1: " + Password + ": not found")]
    [InlineData("Installing collected packages: a, " + Password)]
    [InlineData("wget: Saving to: '" + Password + "'")]
    [InlineData("ERROR: No matching distribution found for " + Password)]
    [InlineData("ERROR: \u001b[31mpa:s\u001b[0ms,w0rd")]
    [InlineData("OSError: [Errno 98] ('" + Password + "', 8188)")]
    [InlineData("nvidia-container-cli: " + Password)]
    [InlineData("bind source path does not exist: /" + Password)]
    [InlineData("error mounting \"/" + Password + "\" to rootfs at \"/x\": no such file or directory")]
    [InlineData("cat: /" + Password + ": Is a directory")]
    [InlineData("https://user:" + Password + "@host/x.git")]
    public void No_part_of_a_secret_gets_into_a_diagnosis(string text)
    {
        var redactor = new SecretRedactor();
        redactor.Register(Password);
        redactor.Register(Hash);
        foreach (var state in Enum.GetValues<ContainerState>())
        {
            foreach (var readings in Answers.Select(name => DiagnosisCase.Named(name).Snapshot().Readings))
            {
                var loud = Loud(text) with { Readings = readings };
                var diagnosis = ContainerDiagnostician.Diagnose(loud with { Container = loud.Container! with { State = state } }, redactor);

                Assert.All(Texts(diagnosis), told => Assert.False(told.Contains("pa:", StringComparison.Ordinal) || told.Contains("w0rd", StringComparison.Ordinal) || told.Contains("abcdefghijklm", StringComparison.Ordinal), told));
            }
        }
    }

    [Fact]
    public void A_secret_on_the_border_of_what_is_looked_at_is_not_shown_in_part()
    {
        var redactor = new SecretRedactor();
        redactor.Register(Hash);

        // What is taken out makes room for what follows it.
        var line = string.Concat(Enumerable.Repeat(Hash + " ", 67)) + Hash;
        var diagnosis = ContainerDiagnostician.Diagnose(Loud(line), redactor);

        Assert.All(Texts(diagnosis), told => Assert.DoesNotContain("$2b", told, StringComparison.Ordinal));
    }

    [Fact]
    public void A_healthcheck_is_told_without_the_token_in_its_command()
    {
        var snapshot = DiagnosisCase.Named("healthcheck-fails-otherwise").Snapshot();
        var check = snapshot.Container!.Healthcheck! with { Test = ["CMD-SHELL", $"curl -f -H 'Authorization: Bearer {Hash}' http://localhost:8188/ || exit 1"] };

        var diagnosis = ContainerDiagnostician.Diagnose(snapshot with { Container = snapshot.Container with { Healthcheck = check } }, new());

        Assert.Equal(ContainerCondition.HealthcheckCannotPass, diagnosis.Condition);
        Assert.Contains(diagnosis.Evidence, line => line.Contains("Authorization", StringComparison.Ordinal));
        Assert.All(Texts(diagnosis), told => Assert.DoesNotContain("abcdefghij", told, StringComparison.Ordinal));
    }

    [Fact]
    public void Any_snapshot_has_a_diagnosis()
    {
        var moments = Gen.OneOf(
            Gen.Const(DateTimeOffset.MinValue), Gen.Const(DateTimeOffset.MaxValue), Gen.Const(DateTimeOffset.UnixEpoch),
            Gen.Int[-100_000, 100_000].Select(seconds => new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero).AddSeconds(seconds)));
        var spans = Gen.OneOf(Gen.Const(TimeSpan.MinValue), Gen.Const(TimeSpan.MaxValue), Gen.Const(TimeSpan.Zero), Gen.Int[-1000, 100_000].Select(seconds => TimeSpan.FromSeconds(seconds)));
        var known = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Containers", "data", "signatures.tsv")).Select(line => line.Split('\t')[^1]).ToArray();
        var texts = Gen.OneOf(Gen.String, Gen.OneOf(known), Gen.OneOf(known), Gen.OneOf("", " ", "\r", "\n", "\0", "\ud800", "pip install x", "curl http://[", "python", new string('x', 5000)));
        var maybe = moments.Select(Gen.Bool, (moment, isThere) => isThere ? moment : (DateTimeOffset?)null);
        var numbers = Gen.OneOf(Gen.OneOf(long.MinValue, long.MaxValue, 0, -1), Gen.Long);
        var ports = Gen.Select(Gen.Int, texts, texts, Gen.Int.Nullable()).Select((inside, protocol, address, outside) => new ContainerPort(inside, protocol, address, outside)).List[0, 2];
        var probes = Gen.Select(maybe, maybe, Gen.OneOf(Gen.OneOf(-1, 0, 1, 22, 126, 127), Gen.Int), texts).Select((start, end, code, output) => new ContainerHealthProbe(start, end, code, output)).List[0, 3];
        var healthchecks = Gen.Select(Gen.OneOf(texts.List[0, 3], Gen.Const(new List<string> { "NONE" }), Gen.Const(new List<string> { "CMD-SHELL", "curl -f http://localhost:8188/" })), spans, spans, spans, Gen.Int)
            .Select((test, interval, timeout, start, retries) => new ContainerHealthcheck { Test = test, Interval = interval, Timeout = timeout, StartPeriod = start, Retries = retries });
        var states = Gen.Select(Gen.Enum<ContainerState>(), Gen.Enum<ContainerHealthStatus>(), Gen.Bool, Gen.Int, texts, Gen.Int, Gen.OneOf("no", "on-failure", "unless-stopped", ""), Gen.OneOf("bridge", "host", "none", "container:x", ""));
        var containers = Gen.Select(states, Gen.Select(maybe, maybe, maybe), probes, healthchecks, ports, Gen.Select(Gen.Int, Gen.Long), texts.List[0, 2]).Select((state, times, log, check, bound, counts, paths) => Running with
        {
            State = state.Item1,
            Health = state.Item2,
            OutOfMemoryKilled = state.Item3,
            ExitCode = state.Item4,
            Error = state.Item5,
            RestartCount = state.Item6,
            RestartPolicy = state.Item7,
            NetworkMode = state.Item8,
            StartedAt = times.Item1,
            FinishedAt = times.Item2,
            CreatedAt = times.Item3,
            HealthLog = log,
            Healthcheck = counts.Item1 % 5 == 0 ? null : check,
            HealthFailingStreak = counts.Item1,
            MemoryLimit = counts.Item2 > 0 ? counts.Item2 : null,
            Ports = bound,
            RequestedPorts = bound,
            Mounts = [.. paths.Select(path => new ContainerMount("bind", "", path, path, false))],
        });
        var bools = Gen.Bool.Nullable();
        var readings = Gen.Select(bools, bools, bools, Gen.OneOf(200, 401, 403, 404, 503, 0).Nullable(), Gen.OneOf(200, 401, 403, 500).Nullable(), texts)
            .Select((live, guarded, ready, status, token, answer) => new ServiceReadings { IsLive = live, IsProtected = guarded, IsReady = ready, Status = status, TokenStatus = token, Answer = answer });
        var usages = Gen.Select(Gen.OneOf(Gen.Double, Gen.OneOf(double.NaN, double.PositiveInfinity, -1d)).Nullable(), numbers, spans).Select((cpu, bytes, period) => new ContainerUsage(cpu, bytes, bytes, bytes, bytes, period));
        var stats = Gen.Select(spans, moments, numbers).Select((cpu, at, bytes) => new ContainerStats { ReadAt = at, CpuTime = cpu, SystemCpuTime = cpu, OnlineCpus = 0, MemoryUsed = bytes, MemoryLimit = bytes, ProcessCount = 0, NetworkReceived = bytes, BlockWritten = bytes });
        var lines = Gen.Select(maybe, texts).Select((at, text) => new ContainerLogLine(ContainerLogStream.StandardError, at, text)).List[0, 12];
        var processes = Gen.Select(spans.Nullable(), texts).Select((elapsed, text) => new ContainerProcess(1, elapsed, text)).List[0, 3];
        var events = Gen.Select(Gen.OneOf("die", "oom", "start", "kill", "stop", "x"), moments, texts)
            .Select((action, at, code) => new EngineEvent("container", action, "", "", "", new Dictionary<string, string> { ["exitCode"] = code }, at)).List[0, 4];
        var others = Gen.Select(ports, texts, Gen.Enum<ContainerState>()).Select((bound, name, state) => new ContainerSummary { Id = name, Name = name, Image = "", State = state, Status = name, Labels = new Dictionary<string, string>(), Ports = bound }).List[0, 2];
        var snapshots = Gen.Select(containers.Null(), readings, usages.Null(), stats.Null(), lines, processes, Gen.Select(events, others, texts.List[0, 2]), Gen.Select(moments, Gen.Enum<AuthKind>())).Select((container, answered, usage, sample, log, running, around, rest) => new ContainerSnapshot
        {
            Stack = "/opt/genai",
            Service = new ServiceDefinition { Name = "s", Container = "c", Url = new Uri("http://localhost:8188"), Auth = rest.Item2 },
            TakenAt = rest.Item1,
            Container = container,
            Readings = answered,
            Usage = usage,
            Stats = sample,
            Log = log,
            Processes = running,
            Events = around.Item1,
            Others = around.Item2,
            NotSeen = around.Item3,
            MountedDirectories = around.Item3,
            MissingMounts = around.Item3,
        });

        var redactor = new SecretRedactor();
        snapshots.Sample(
            snapshot =>
            {
                var diagnosis = ContainerDiagnostician.Diagnose(snapshot, redactor);
                AssertFit(diagnosis);
                Assert.DoesNotContain(diagnosis.Condition, diagnosis.Also);
                Assert.Equal(diagnosis.Also.Count, diagnosis.Also.Distinct().Count());
                Assert.True(diagnosis.IsReady != true || diagnosis.IsLive != false || snapshot.Readings is { IsReady: true, IsLive: false });
                Assert.True(diagnosis.UnhealthyAt is not { } at || at >= snapshot.TakenAt);
                Assert.True(diagnosis.LastSignOfLife is not { } sign || sign <= snapshot.TakenAt);
                Assert.True(diagnosis.Uptime is not { } uptime || uptime >= TimeSpan.Zero);
            },
            iter: 3000,
            threads: 1);
    }
}
