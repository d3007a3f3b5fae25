using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>
/// What one wait has seen so far, and what follows from it. Times count from the start of the wait, so that no clock is
/// compared with the engine's, and setting a clock ends no wait.
/// </summary>
internal sealed record ContainerWaitState(ContainerWaitOptions Options, ContainerDiagnosis Last)
{
    // A healthcheck works in the container too, but not at three looks in a row.
    private const int LastingWork = 3;

    private static readonly TimeSpan QuickPhase = TimeSpan.FromSeconds(30);

    /// <summary>How long a container that ran may be away: who makes it anew removes it first.</summary>
    public TimeSpan RecreationGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to sleep between two looks; null: a second or two.</summary>
    public TimeSpan? PauseBetweenLooks { get; init; }

    /// <summary>When the last sign of life was noticed.</summary>
    public TimeSpan SignAt { get; private init; }

    /// <summary>Since when the engine does not answer; null when it does.</summary>
    public TimeSpan? EngineSilentSince { get; private init; }

    private bool HasRun { get; init; } = Last.State == ContainerState.Running;

    private TimeSpan? AwaySince { get; init; }

    private int LooksAtWork { get; init; }

    private DateTimeOffset? LastLine { get; init; } = IsAtWork(Last) ? null : Last.LastSignOfLife;

    private string? LastPackage { get; init; } = Last.Package;

    private string Name => $"The container '{Last.Container}'";

    /// <summary>How long to sleep before the next look, when no event of the engine comes before.</summary>
    public TimeSpan Pause(TimeSpan at)
    {
        var pause = PauseBetweenLooks ?? TimeSpan.FromSeconds(at < QuickPhase ? 1 : 2);
        var rest = Options.Timeout - at;
        return rest < TimeSpan.Zero ? TimeSpan.Zero : rest < pause ? rest : pause;
    }

    /// <summary>The state after another look.</summary>
    /// <param name="seen">What was seen.</param>
    /// <param name="at">When.</param>
    public ContainerWaitState After(ContainerDiagnosis seen, TimeSpan at)
    {
        var back = EngineSilentSince is not null;
        var next = this with
        {
            Last = seen,
            EngineSilentSince = null,
            HasRun = HasRun || seen.State == ContainerState.Running,
            AwaySince = IsAway(seen) ? (back ? at : AwaySince ?? at) : null,
            LooksAtWork = IsAtWork(seen) ? LooksAtWork + 1 : 0,
            LastLine = IsAtWork(seen) ? LastLine : seen.LastSignOfLife,
            LastPackage = seen.Package ?? LastPackage,
        };

        // While the engine was away, nobody could see a sign of life. Conditions and health change with time alone. The engine's
        // times are compared with each other only.
        var isAlive = back
            || next.LooksAtWork >= LastingWork
            || next.LastLine != LastLine
            || next.LastPackage != LastPackage
            || (seen.IsLive, seen.State, seen.Id, seen.StartedAt, seen.RestartCount) != (Last.IsLive, Last.State, Last.Id, Last.StartedAt, Last.RestartCount);
        return isAlive ? next with { SignAt = at } : next;
    }

    /// <summary>The state after a look that the engine did not answer.</summary>
    /// <param name="at">When that look began.</param>
    public ContainerWaitState WithoutEngine(TimeSpan at) => this with { EngineSilentSince = EngineSilentSince ?? at };

    /// <summary>Decides.</summary>
    /// <param name="at">The time now.</param>
    /// <returns>How the wait ends, and why; null: it goes on.</returns>
    public (ContainerWaitOutcome Outcome, string Message)? Decide(TimeSpan at)
    {
        if (EngineSilentSince is null)
        {
            if (IsThere())
                return (ContainerWaitOutcome.Reached, Last.IsFault ? $"{Name} {GoalText()}, and yet: {Last.Message}" : $"{Name} {GoalText()}.");
            if (IsInVain(at))
                return (ContainerWaitOutcome.Failed, Last.Message);
            if (Options.Goal == ContainerGoal.Ready && Last is { IsLive: true, IsProtected: true, IsReady: null })
                return (ContainerWaitOutcome.Undetermined, $"{Name} answers and asks for a token, and none is known: whether it is ready cannot be found out.");
            if (Options.Goal == ContainerGoal.Healthy && Last is { State: ContainerState.Running, Health: ContainerHealthStatus.None })
                return (ContainerWaitOutcome.Undetermined, $"{Name} has no healthcheck; wait for {nameof(ContainerGoal.Ready)} instead.");
        }

        if (at >= Options.Timeout)
        {
            return (
                ContainerWaitOutcome.TimedOut,
                $"{Name} {MissedText()} after {Duration.Format(at)}. "
                    + (EngineSilentSince is { } since
                        ? $"The Docker engine has not answered for {Duration.Format(at - since)}. What was seen before: {Last.Message}"
                        : $"{Last.Message} The last sign of life was noticed {(at - SignAt < TimeSpan.FromSeconds(2) ? "just now" : $"{Duration.Format(at - SignAt)} ago")}."));
        }

        return EngineSilentSince is null && at - SignAt >= Options.StallTimeout
            ? (ContainerWaitOutcome.Stalled, $"{Name} has shown no sign of life for {Duration.Format(at - SignAt)}. {Last.Message}")
            : null;
    }

    private static bool IsAway(ContainerDiagnosis seen) => seen.Condition is ContainerCondition.Absent or ContainerCondition.Stopped;

    private static bool IsAtWork(ContainerDiagnosis seen) => seen.LastSignOfLife == seen.ObservedAt;

    private string GoalText() => Options.Goal switch
    {
        ContainerGoal.Live => "answers",
        ContainerGoal.Healthy => "is healthy",
        _ => "is ready",
    };

    private string MissedText() => Options.Goal switch
    {
        ContainerGoal.Live => "does not answer",
        ContainerGoal.Healthy => "is not healthy",
        _ => "is not ready",
    };

    private bool IsThere() =>
        Last.State == ContainerState.Running

        // Another program may answer at the address of a container that cannot have its port.
        && Last.Condition is not (ContainerCondition.CrashLoop or ContainerCondition.PortConflict)
        && Options.Goal switch
        {
            ContainerGoal.Live => Last.IsLive == true,
            ContainerGoal.Healthy => Last.Health == ContainerHealthStatus.Healthy,
            _ => Last.IsReady == true,
        };

    private bool IsInVain(TimeSpan at) => Last.Condition switch
    {
        ContainerCondition.Absent or ContainerCondition.Stopped => !HasRun || at - AwaySince >= RecreationGrace,

        // Neither is what the other two goals ask for.
        ContainerCondition.TokenRefused => Options.Goal == ContainerGoal.Ready,
        ContainerCondition.HealthcheckCannotPass => Options.Goal == ContainerGoal.Healthy,

        // It may be slow; silence for too long ends the wait.
        ContainerCondition.Unresponsive => false,
        _ => Last.IsFault,
    };
}
