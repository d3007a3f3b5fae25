using ComfyAuth.Containers;

namespace ComfyAuth.Tests.Containers;

public sealed class ContainerProgressTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_installation_tells_what_it_is_at_and_when_it_moved_last() => Assert.Equal(
        "comfyui-qwen: Installing torch, 780.5 MiB received, last sign of life 3s ago",
        ContainerProgress.Describe(Seen(ContainerCondition.Installing) with { Package = "torch", BytesReceived = 818_413_568, LastSignOfLife = Now.AddSeconds(-3) }));

    [Fact]
    public void What_is_not_known_is_left_out() => Assert.Equal("comfyui-qwen: Starting", ContainerProgress.Describe(Seen(ContainerCondition.Starting)));

    [Fact]
    public void A_clock_that_goes_ahead_is_no_sign_of_the_future() => Assert.Equal(
        "comfyui-qwen: Starting, last sign of life 0s ago",
        ContainerProgress.Describe(Seen(ContainerCondition.Starting) with { LastSignOfLife = Now.AddSeconds(30) }));

    [Fact]
    public void Several_services_stand_in_one_line_that_is_told_by_one_thread_at_a_time()
    {
        List<string> lines = [];
        var progress = new ContainerProgress(lines.Add);

        Parallel.For(0, 1000, i => progress.Report(Seen(ContainerCondition.Starting) with { Service = $"s{i % 3}", Stack = "/first" }));
        progress.Report(Seen(ContainerCondition.Ready));

        Assert.Equal(1001, lines.Count);
        Assert.Equal(["s0: Starting", "s1: Starting", "s2: Starting"], lines[999].Split("; ").Order(StringComparer.Ordinal));
        Assert.Equal("comfyui-qwen: Ready", lines[^1]);
    }

    private static ContainerDiagnosis Seen(ContainerCondition condition) => new()
    {
        Stack = "/stack",
        Service = "comfyui-qwen",
        Container = "comfyui-qwen",
        Condition = condition,
        Confidence = DiagnosisConfidence.High,
        Message = "",
        Evidence = [],
        Remedy = "",
        ObservedAt = Now,
    };
}
