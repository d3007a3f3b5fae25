using System.Globalization;
using System.Text.RegularExpressions;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Containers;

public sealed partial class ContainerDiagnosticianTests
{
    public static TheoryData<string> Cases => [.. DiagnosisCase.All.Select(item => item.Name)];

    private static ContainerDiagnosis Diagnose(ContainerSnapshot snapshot) => ContainerDiagnostician.Diagnose(snapshot, new SecretRedactor());

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_was_seen_is_called_by_its_name(string name)
    {
        var expected = DiagnosisCase.Named(name);

        var diagnosis = Diagnose(expected.Snapshot());

        Assert.Equal((expected.Condition, expected.Confidence), (diagnosis.Condition, diagnosis.Confidence));
        Assert.Equal(expected.Also, diagnosis.Also);
        var told = string.Join('\n', [diagnosis.Message, .. diagnosis.Evidence, diagnosis.Remedy]);
        foreach (var part in expected.Tells)
            Assert.Contains(part, told, StringComparison.Ordinal);
        foreach (var fact in expected.Facts.Select(fact => fact.Split('=', 2)))
            Assert.Equal($"{fact[0]}={fact[1].Replace('_', ' ')}", $"{fact[0]}={Fact(diagnosis, fact[0])}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Only_the_rule_that_names_it_tells_it_so(string name)
    {
        var expected = DiagnosisCase.Named(name);
        var others = ContainerDiagnostician.Rules.Where(rule => rule.Id != expected.Rule).ToList();

        var without = ContainerDiagnostician.Diagnose(expected.Snapshot(), new SecretRedactor(), others);

        Assert.Equal(ContainerDiagnostician.Rules.Count - 1, others.Count);
        Assert.NotEqual(Diagnose(expected.Snapshot()).Message, without.Message);
    }

    [Fact]
    public void Each_rule_has_a_case() =>
        Assert.Equal(ContainerDiagnostician.Rules.Select(rule => rule.Id).Order(), DiagnosisCase.All.Select(item => item.Rule).Distinct().Order());

    [Fact]
    public void Each_condition_has_a_case() =>
        Assert.Equal(Enum.GetValues<ContainerCondition>(), DiagnosisCase.All.Select(item => item.Condition).Distinct().Order());

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_diagnosis_is_short_and_says_what_to_do(string name)
    {
        var diagnosis = Diagnose(DiagnosisCase.Named(name).Snapshot());

        Assert.EndsWith(".", diagnosis.Message, StringComparison.Ordinal);
        Assert.InRange(diagnosis.Evidence.Count, 1, 10);
        Assert.All(diagnosis.Evidence, line => Assert.InRange(line.Length, 1, 200));
        Assert.True(diagnosis.Remedy.Length > 0 || diagnosis is { Condition: ContainerCondition.Ready, Also.Count: 0 });
    }

    [Fact]
    public void Lines_of_an_earlier_run_explain_nothing()
    {
        var snapshot = DiagnosisCase.Named("gpu-not-reserved").Snapshot();
        var later = snapshot.Container! with { State = ContainerState.Running, StartedAt = snapshot.TakenAt.AddSeconds(-0.5), FinishedAt = snapshot.TakenAt.AddHours(-1) };
        var log = snapshot.Log.Select(line => line with { Timestamp = snapshot.TakenAt.AddHours(-1) });

        var diagnosis = Diagnose(snapshot with { Container = later, Log = [.. log], Readings = DiagnosisCase.Named("starting").Snapshot().Readings });

        Assert.Equal((ContainerCondition.Starting, 0), (diagnosis.Condition, diagnosis.Also.Count));
    }

    [Fact]
    public void An_answer_at_the_address_of_a_container_that_does_not_run_is_not_its_own()
    {
        var ready = DiagnosisCase.Named("ready").Snapshot();

        var absent = Diagnose(ready with { Container = null });
        var stopped = Diagnose(ready with { Container = DiagnosisCase.Named("ended").Snapshot().Container });

        Assert.Equal((false, null, false), (absent.IsLive, absent.IsProtected, absent.IsReady));
        Assert.Contains(absent.Evidence, line => line.StartsWith("something else answers at http://localhost:8188/", StringComparison.Ordinal));
        Assert.Equal((false, null, false), (stopped.IsLive, stopped.IsProtected, stopped.IsReady));
    }

    [Theory]
    [InlineData("apt-get install -y git", "the connection was reset", ContainerCondition.Installing)]
    [InlineData("/bin/bash -c \"apt-get install -y git; python main.py\"", "the connection was reset", ContainerCondition.Starting)]
    public void A_shell_that_will_install_is_no_installation(string process, string answer, ContainerCondition condition)
    {
        var snapshot = DiagnosisCase.Named("starting").Snapshot();

        var diagnosis = Diagnose(snapshot with { Processes = [new(1, null, process)], Readings = new() { IsLive = false, Answer = answer } });

        Assert.Equal(condition, diagnosis.Condition);
    }

    [Theory]
    [InlineData("sleep 3600", ContainerCondition.Installing)]
    [InlineData("python3 -u /workspace/ComfyUI/main.py --listen 0.0.0.0 --port 8188", ContainerCondition.Unresponsive)]
    public void An_installer_that_went_under_without_a_word_is_still_an_installation_until_the_program_runs(string process, ContainerCondition condition)
    {
        var snapshot = DiagnosisCase.Named("installing").Snapshot();
        var later = snapshot with { TakenAt = snapshot.TakenAt.AddMinutes(10), Usage = new(0, 0, 0, 0, 0, TimeSpan.FromSeconds(1)), Processes = [new(1, null, "/bin/bash /entrypoint.sh"), new(7, null, process)] };

        var diagnosis = Diagnose(later);

        Assert.Equal(condition, diagnosis.Condition);
        Assert.Equal(condition == ContainerCondition.Installing ? false : null, diagnosis.IsMoving);
    }

    [Fact]
    public void A_healthcheck_at_work_is_no_download()
    {
        var snapshot = DiagnosisCase.Named("starting").Snapshot();
        var check = snapshot.Container!.Healthcheck! with { Test = ["CMD", "curl", "-f", "http://comfyui-qwen:8188/login"] };
        var checking = snapshot with { Processes = [new(1, TimeSpan.Zero, "curl -f http://comfyui-qwen:8188/login")] };

        Assert.Equal(ContainerCondition.Installing, Diagnose(checking).Condition);
        Assert.Equal(ContainerCondition.Starting, Diagnose(checking with { Container = snapshot.Container with { Healthcheck = check } }).Condition);
    }

    [Fact]
    public void A_few_ends_over_many_days_are_no_loop()
    {
        var snapshot = DiagnosisCase.Named("crash-loop").Snapshot();

        var diagnosis = Diagnose(snapshot with { Container = snapshot.Container! with { RestartCount = 3 }, Events = [snapshot.Events[^1]] });

        Assert.Equal((ContainerCondition.Restarting, 1), (diagnosis.Condition, diagnosis.ExitCode));
    }

    [Fact]
    public void A_fault_beside_a_service_that_works_is_told_beside_it()
    {
        var snapshot = DiagnosisCase.Named("ready").Snapshot();

        var diagnosis = Diagnose(snapshot with
        {
            Container = snapshot.Container! with { OutOfMemoryKilled = true, FinishedAt = snapshot.TakenAt.AddMinutes(-5) },
            MountedDirectories = ["/run/secrets/qwen-api-user.token"],
            Log = [new(ContainerLogStream.StandardError, snapshot.TakenAt, "RuntimeError: No CUDA GPUs are available")],
        });

        Assert.Equal(ContainerCondition.Ready, diagnosis.Condition);
        Assert.Equal([ContainerCondition.MountIsDirectory, ContainerCondition.GpuMissing, ContainerCondition.OutOfMemory], diagnosis.Also);
        Assert.StartsWith("Stop the container, remove the directory", diagnosis.Remedy, StringComparison.Ordinal);
    }

    // Start period 120 s, then 5 failures, 30 s apart; each probe took 2 s, or longer than it may.
    [Theory]
    [InlineData(60, 0, 2, 220)]
    [InlineData(60, 0, 60, 260)]
    [InlineData(200, 2, 2, 96)]
    [InlineData(2000, 4, 2, 32)]
    [InlineData(2000, 9, 2, 0)]
    public void The_moment_when_the_healthcheck_gives_up_is_foretold(int uptime, int streak, double probeTime, int expected)
    {
        var snapshot = DiagnosisCase.Named("starting").Snapshot();
        var probe = new ContainerHealthProbe(snapshot.TakenAt.AddSeconds(-probeTime), snapshot.TakenAt, 1, "curl: (7) Failed to connect");

        var diagnosis = Diagnose(snapshot with { Container = snapshot.Container! with { StartedAt = snapshot.TakenAt.AddSeconds(-uptime), HealthFailingStreak = streak, HealthLog = [probe] } });

        Assert.Equal(expected, (diagnosis.UnhealthyAt!.Value - snapshot.TakenAt).TotalSeconds, 1.0);
    }

    [Theory]
    [InlineData("nc: bind: Address already in use")]
    [InlineData("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)")]
    [InlineData("Error: listen EADDRINUSE: address already in use :::8188")]
    [InlineData("2026/11/22 11:59:57 listen tcp :8188: bind: address already in use")]
    public void A_program_that_finds_its_port_taken_says_so_in_many_ways(string line) => Assert.Equal(ContainerCondition.PortConflict, DiagnoseTheLog(line));

    [Theory]
    [InlineData("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)")]
    [InlineData("listen tcp :80: bind: permission denied")]
    [InlineData("listen tcp 10.1.2.3:8188: bind: cannot assign requested address")]
    public void A_port_that_may_not_be_bound_is_not_taken(string line) => Assert.Equal(ContainerCondition.CrashLoop, DiagnoseTheLog(line));

    private static ContainerCondition DiagnoseTheLog(string line)
    {
        var snapshot = DiagnosisCase.Named("port-conflict-log").Snapshot();
        return Diagnose(snapshot with { Log = [snapshot.Log[^1] with { Text = line }] }).Condition;
    }

    [Fact]
    public void No_healthcheck_foretells_nothing()
    {
        var snapshot = DiagnosisCase.Named("starting").Snapshot();
        var check = snapshot.Container!.Healthcheck!;

        Assert.Null(Diagnose(snapshot with { Container = snapshot.Container with { Healthcheck = null } }).UnhealthyAt);
        Assert.Null(Diagnose(snapshot with { Container = snapshot.Container with { Healthcheck = check with { Test = ["NONE"] } } }).UnhealthyAt);
        Assert.Null(Diagnose(snapshot with { Container = snapshot.Container with { Health = ContainerHealthStatus.Healthy } }).UnhealthyAt);
        Assert.Null(Diagnose(snapshot with { Readings = DiagnosisCase.Named("ready").Snapshot().Readings }).UnhealthyAt);
    }

    [Fact]
    public void A_stopped_container_whose_details_are_unknown_is_not_said_to_have_ended_well()
    {
        var snapshot = DiagnosisCase.Named("ended").Snapshot();

        var diagnosis = Diagnose(snapshot with { Container = snapshot.Container! with { StartedAt = null, FinishedAt = null, ExitCode = 0 }, NotSeen = ["The engine did not give the details within 10 s."] });

        Assert.Equal((ContainerCondition.Stopped, null), (diagnosis.Condition, diagnosis.ExitCode));
        Assert.DoesNotContain("without an error", diagnosis.Message, StringComparison.Ordinal);
        Assert.Contains("not seen: The engine did not give the details within 10 s.", diagnosis.Evidence);
    }

    [Theory]
    [InlineData("127.0.0.1", 8188, "127.0.0.1:8188->8188/tcp")]
    [InlineData("", 8188, "0.0.0.0:8188->8188/tcp")]
    [InlineData("::", 8188, "[::]:8188->8188/tcp")]
    [InlineData("", null, "8188/tcp")]
    public void Ports_are_written_as_docker_writes_them(string address, int? published, string expected)
    {
        var snapshot = DiagnosisCase.Named("ready").Snapshot();

        Assert.Equal([expected], Diagnose(snapshot with { Container = snapshot.Container! with { Ports = [new(8188, "tcp", address, published)] } }).Ports);
    }

    [Fact]
    public void The_documentation_lists_the_rules_as_they_are()
    {
        var text = Repository.Read("docs/diagnosis.md");

        Assert.Equal(
            ContainerDiagnostician.Rules.Select(rule => $"| `{rule.Id}` | `{rule.Condition}` | {rule.Meaning} | {rule.Remedy} |".Replace("|  |", "| |", StringComparison.Ordinal)),
            DocumentedRule().Matches(text).Select(row => row.Value));
        Assert.Equal(Enum.GetNames<ContainerCondition>().Order(StringComparer.Ordinal), Documentation.DocumentationTests.Rows("docs/diagnosis.md", "Conditions").Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^\| `[a-z-]+` \| `[A-Z].*$", RegexOptions.Multiline)]
    private static partial Regex DocumentedRule();

    private static string Fact(ContainerDiagnosis diagnosis, string name) => Convert.ToString(
        name switch
        {
            "live" => diagnosis.IsLive,
            "protected" => diagnosis.IsProtected,
            "ready" => diagnosis.IsReady,
            "uptime" => diagnosis.Uptime is { } uptime ? TimeSpan.FromSeconds(Math.Round(uptime.TotalSeconds)) : null,
            "exit" => diagnosis.ExitCode,
            "restarts" => diagnosis.RestartCount,
            "package" => diagnosis.Package,
            "moving" => diagnosis.IsMoving,
            "bytes" => diagnosis.BytesReceived,
            "cpu" => diagnosis.Cpu is { } cpu ? Math.Round(cpu) : null,
            "ports" => string.Join(' ', diagnosis.Ports),
            "sign" => diagnosis.LastSignOfLife is { } sign ? Math.Round((diagnosis.ObservedAt - sign).TotalSeconds) : null,
            "unhealthyAt" => diagnosis.UnhealthyAt is { } at ? Math.Round((at - diagnosis.ObservedAt).TotalSeconds) : null,
            _ => throw new ArgumentException(name),
        },
        CultureInfo.InvariantCulture) ?? "";
}
