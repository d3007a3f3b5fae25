using ComfyAuth.Containers;
using ComfyAuth.Docker;
using CsCheck;

namespace ComfyAuth.Tests.Containers;

public sealed class ContainerWaitDecisionTests
{
    private static readonly ContainerWaitOptions Options = new() { Timeout = TimeSpan.FromSeconds(100), StallTimeout = TimeSpan.FromSeconds(20) };

    public static TheoryData<string, ContainerGoal, string, string> Waits()
    {
        var data = new TheoryData<string, ContainerGoal, string, string>();
        foreach (var row in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Containers", "data", "wait-decisions.tsv")).Where(line => !line.StartsWith('#')))
        {
            var fields = row.Split('\t');
            data.Add(fields[0], Enum.Parse<ContainerGoal>(fields[1]), fields[2], fields[3]);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public void A_wait_ends_as_it_should(string what, ContainerGoal goal, string looks, string end)
    {
        var (outcome, second, message) = Run(Options with { Goal = goal }, Script(looks));

        Assert.True(end == $"{outcome} {second}", $"{what}: {outcome} {second}, {message}");
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_wait_outlives_its_timeout_and_none_fails_without_a_fault()
    {
        var flag = Gen.Nullable(Gen.Bool);
        var look = Gen.Select(Gen.Enum<ContainerCondition>(), Gen.Enum<ContainerState>(), flag, flag, Gen.Bool, (condition, state, live, ready, silent) =>
            silent ? null : Seen(condition) with { State = state, IsLive = live, IsReady = ready });
        Gen.Select(look.Array[1, 150], Gen.Enum<ContainerGoal>()).Sample(
            (seen, goal) =>
            {
                seen[0] ??= Seen(ContainerCondition.Starting);
                var (outcome, second, _) = Run(Options with { Goal = goal }, at => seen[Math.Min(at, seen.Length - 1)]);
                Assert.InRange(second, 0, 100);
                Assert.True(outcome != ContainerWaitOutcome.Failed || seen[Math.Min(second, seen.Length - 1)]!.IsFault);
            },
            iter: 2000);
    }

    [Fact]
    public void A_timeout_of_zero_is_one_look()
    {
        var (outcome, second, message) = Run(new() { Timeout = TimeSpan.Zero, StallTimeout = TimeSpan.Zero }, Script("0:Installing"));

        Assert.Equal((ContainerWaitOutcome.TimedOut, 0), (outcome, second));
        Assert.Contains("after 0s", message, StringComparison.Ordinal);
        Assert.Equal(ContainerWaitOutcome.Reached, Run(new() { Timeout = TimeSpan.Zero, StallTimeout = TimeSpan.Zero }, Script("0:Ready,ready")).Outcome);
    }

    [Fact]
    public void The_messages_name_the_goal_the_container_and_what_it_was_at()
    {
        string Message(ContainerGoal goal, string looks) => Run(Options with { Goal = goal }, Script(looks)).Message;

        Assert.Equal("The container 'comfyui' is ready.", Message(ContainerGoal.Ready, "0:Ready,ready"));
        Assert.Equal("The container 'comfyui' is ready, and yet: It is HealthcheckCannotPass.", Message(ContainerGoal.Ready, "0:HealthcheckCannotPass,ready"));
        Assert.Equal("The container 'comfyui' has shown no sign of life for 20s. It is Installing.", Message(ContainerGoal.Ready, "0:Starting; 5:Installing,package=torch"));
        Assert.Equal("The container 'comfyui' has no healthcheck; wait for Ready instead.", Message(ContainerGoal.Healthy, "0:Starting"));
        Assert.Equal("The container 'comfyui' does not answer after 100s. It is Installing. The last sign of life was noticed just now.", Message(ContainerGoal.Live, "moving"));
        Assert.Equal(
            "The container 'comfyui' is not healthy after 100s. The Docker engine has not answered for 90s. What was seen before: It is Installing.",
            Message(ContainerGoal.Healthy, "0:Installing,Starting-health; 10:silent"));
    }

    [Fact]
    public void The_looks_become_rarer_and_the_last_one_comes_at_the_timeout()
    {
        var state = new ContainerWaitState(Options, Seen(ContainerCondition.Installing));
        double Pause(double second) => state.Pause(TimeSpan.FromSeconds(second)).TotalSeconds;

        Assert.Equal((1, 2, 2, 0.5, 0, 0), (Pause(0), Pause(30), Pause(98), Pause(99.5), Pause(100), Pause(1000)));
    }

    private static (ContainerWaitOutcome Outcome, int Second, string Message) Run(ContainerWaitOptions options, Func<int, ContainerDiagnosis?> look)
    {
        var state = new ContainerWaitState(options, look(0)!);
        for (var second = 0; ; second++)
        {
            var at = TimeSpan.FromSeconds(second);
            if (second > 0)
                state = look(second) is { } seen ? state.After(seen, at) : state.WithoutEngine(at);
            if (state.Decide(at) is var (outcome, message))
                return (outcome, second, message);
        }
    }

    private static Func<int, ContainerDiagnosis?> Script(string looks)
    {
        if (looks == "moving")
            return second => Seen(ContainerCondition.Installing) with { LastSignOfLife = DateTimeOffset.UnixEpoch.AddSeconds(second) };

        var seen = looks.Split("; ").Select(look => look.Split(':')).ToDictionary(look => int.Parse(look[0], null), look => look[1]);
        return second => Parse(seen[seen.Keys.Where(at => at <= second).Max()]);
    }

    private static ContainerDiagnosis? Parse(string look)
    {
        if (look == "silent")
            return null;

        var words = look.Split(',');
        return words[1..].Aggregate(Seen(Enum.Parse<ContainerCondition>(words[0])), (seen, word) => word.Split('=') switch
        {
            ["live"] => seen with { IsLive = true },
            ["protected"] => seen with { IsProtected = true },
            ["ready"] => seen with { IsReady = true },
            ["not-ready"] => seen with { IsReady = false },
            ["no-state"] => seen with { State = null, Id = null },
            ["Healthy" or "Unhealthy"] => seen with { Health = Enum.Parse<ContainerHealthStatus>(word) },
            ["Starting-health"] => seen with { Health = ContainerHealthStatus.Starting },
            ["sign", var second] => seen with { LastSignOfLife = DateTimeOffset.UnixEpoch.AddSeconds(int.Parse(second, null)) },
            ["work"] => seen with { LastSignOfLife = seen.ObservedAt },
            ["package", var package] => seen with { Package = package },
            ["id", var id] => seen with { Id = id },
            _ => seen with { State = Enum.Parse<ContainerState>(word.Replace("-state", "", StringComparison.Ordinal)) },
        });
    }

    private static ContainerDiagnosis Seen(ContainerCondition condition) => new()
    {
        Stack = "/stack",
        Service = "comfyui-qwen",
        Container = "comfyui",
        Id = "a",
        Condition = condition,
        Confidence = DiagnosisConfidence.High,
        State = ContainerState.Running,
        Message = $"It is {condition}.",
        Evidence = [],
        Remedy = "",
        ObservedAt = DateTimeOffset.UnixEpoch,
    };
}
