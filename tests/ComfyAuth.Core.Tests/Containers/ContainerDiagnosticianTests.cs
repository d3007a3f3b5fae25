using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Containers;

public sealed class ContainerDiagnosticianTests
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
    public void Dump()
    {
        var o = new System.Text.StringBuilder();
        foreach (var c in DiagnosisCase.All)
        {
            var w = System.Diagnostics.Stopwatch.StartNew();
            var d = Diagnose(c.Snapshot());
            o.AppendLine($"## {c.Name} {d.Condition} {d.Confidence} also[{string.Join(",", d.Also)}] moving={d.IsMoving} pkg={d.Package} at={d.UnhealthyAt - d.ObservedAt} {w.ElapsedMilliseconds}ms\n   {d.Message}");
            foreach (var e in d.Evidence) o.AppendLine("   - " + e);
            o.AppendLine("   > " + d.Remedy);
        }
        File.WriteAllText("/tmp/dump.txt", o.ToString());
    }

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
