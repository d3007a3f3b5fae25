using System.Globalization;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Rules about containers that do not run, or not for long.</summary>
internal static class EndRules
{
    // What happened longer ago explains nothing of what is now.
    private static readonly TimeSpan OldKill = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan SameEnd = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<DiagnosisRule> All { get; } =
    [
        new("out-of-memory", ContainerCondition.OutOfMemory,
            "The kernel killed the container's program, or a part of it, because the memory ran out.",
            "Raise the memory limit of the container, or use smaller models; with Docker Desktop raise the memory of its machine.",
            OutOfMemory),
        new("crash-loop", ContainerCondition.CrashLoop,
            "The program ends again and again, and the engine starts it again, or has given up.",
            "Read its log, mend the cause, and recreate the container; 'docker stop' ends the loop.",
            CrashLoop),
        new("restarting", ContainerCondition.Restarting,
            "The program ended, and the engine is about to start it again.",
            "Wait: if it ends again, the log tells why.",
            Restarting),
        new("start-refused", ContainerCondition.Stopped,
            "The engine tried to start the container and could not.",
            "Mend what the engine says, and start the container.",
            StartRefused),
        new("never-started", ContainerCondition.Stopped,
            "The container was made and never started.",
            "Start it with 'docker start', or with 'docker compose up -d'; should the engine refuse, it tells why.",
            NeverStarted),
        new("ended", ContainerCondition.Stopped,
            "The program ended by itself, or somebody stopped it, and no restart policy starts it again.",
            "Start it with 'docker start'; if it ended with an error, read its log first.",
            Ended),
    ];

    private static DiagnosisFinding? OutOfMemory(DiagnosisContext context)
    {
        if (context.Container is not { } container)
            return null;
        var killed = context.Snapshot.Events.LastOrDefault(item => item.Action == "oom" && IsOfLastRuns(context, item.OccurredAt));

        // The engine keeps the mark through the next run.
        var isMarked = container.OutOfMemoryKilled && (!context.IsRunning || (container.FinishedAt is { } end && context.Since(end) < OldKill));
        if (killed is null && !isMarked)
            return null;

        var limit = container.MemoryLimit is { } bytes ? $"its memory limit of {ByteSize.Format(bytes)} was reached" : "it has no memory limit, so the memory of the engine's machine itself ran out";
        var whom = context.IsRunning && killed?.OccurredAt > container.StartedAt ? "a process in it" : "it";
        var restarted = context.IsRunning && container.FinishedAt is { } died && (killed is null || killed.OccurredAt - died <= SameEnd) ? " It has been started again since." : "";
        var evidence = new List<string>();
        if (isMarked)
            evidence.Add($"engine: killed for want of memory{(context.IsRunning ? "" : $", {EvidenceText.ExitCode(container.ExitCode)}")}");
        if (killed is not null)
            evidence.Add(string.Create(CultureInfo.InvariantCulture, $"engine: event 'oom' at {killed.OccurredAt:u}"));
        evidence.Add(container.MemoryLimit is { } set ? $"memory limit: {ByteSize.Format(set)}" : "memory limit: none");
        return new($"The kernel killed {whom} for want of memory: {limit}.{restarted}", DiagnosisConfidence.High, [.. evidence, .. context.LogEnd(3)])
        {
            Remedy = container.MemoryLimit is null ? "Use smaller models or give the machine more memory; with Docker Desktop raise the memory of its machine (on Windows in .wslconfig)." : null,
            IsAside = context.IsLive,
        };
    }

    /// <summary>In this run, or as the end of the one before it.</summary>
    private static bool IsOfLastRuns(DiagnosisContext context, DateTimeOffset moment) =>
        context.Container?.FinishedAt is not { } end || moment > end || end - moment < SameEnd;

    private static DiagnosisFinding? CrashLoop(DiagnosisContext context)
    {
        if (context.Container is not { } container)
            return null;
        var hasGivenUp = container is { State: ContainerState.Exited, RestartPolicy: "on-failure", RestartCount: > 0, ExitCode: not 0 } && !WasStopped(context);
        if (!context.IsLooping && !hasGivenUp)
            return null;

        var times = context.Ends.Count >= 2
            ? string.Create(CultureInfo.InvariantCulture, $"{context.Ends.Count} times within {Duration.Format(context.Ends[^1].OccurredAt - context.Ends[0].OccurredAt)}")
            : string.Create(CultureInfo.InvariantCulture, $"{container.RestartCount + (context.IsRunning ? 0 : 1)} times since it was started");
        var code = context.LastExitCode is null ? "" : $", last{With(context)}";
        return new($"It has ended {times}{code}{(hasGivenUp ? ", and the engine has given up" : "")}.{context.FailureSentence}",
            hasGivenUp || container.State == ContainerState.Restarting || context.Ends.Count > 2 ? DiagnosisConfidence.High : DiagnosisConfidence.Medium,
            [string.Create(CultureInfo.InvariantCulture, $"restarts: {container.RestartCount}, policy '{container.RestartPolicy}'"), .. context.LogEnd(5)])
        {
            Remedy = hasGivenUp ? $"Read its log (docker logs --tail 100 {container.Name}) and mend the cause; then recreate the container, or start it: docker start {container.Name}" : null,
        };
    }

    private static DiagnosisFinding? Restarting(DiagnosisContext context) =>
        context.Container is { State: ContainerState.Restarting } container && !context.IsLooping
            ? new($"It ended{With(context)}, and the engine is about to start it again.{context.FailureSentence}", DiagnosisConfidence.High,
                [string.Create(CultureInfo.InvariantCulture, $"restarts: {container.RestartCount}, policy '{container.RestartPolicy}'"), .. context.LogEnd(5)])
            : null;

    private static DiagnosisFinding? StartRefused(DiagnosisContext context) =>
        context.Container is { State: ContainerState.Created or ContainerState.Exited or ContainerState.Dead, Error.Length: > 0 } container
            ? new($"The engine could not start it.{context.FailureSentence}", DiagnosisConfidence.High, [$"engine: {context.EngineError}"])
            : null;

    private static DiagnosisFinding? NeverStarted(DiagnosisContext context) =>
        context.Container is { State: ContainerState.Created, Error.Length: 0 } container
            ? new("It was made and never started.", DiagnosisConfidence.High, ["engine: created"]) { Remedy = $"Start it: docker start {container.Name}" }
            : null;

    private static DiagnosisFinding? Ended(DiagnosisContext context)
    {
        if (context.Container is not { State: ContainerState.Exited or ContainerState.Dead or ContainerState.Removing, Error.Length: 0 } container)
            return null;

        var when = container.FinishedAt is { } end ? $" {Duration.Format(context.Since(end))} ago" : "";
        var (message, remedy) = container switch
        {
            { State: ContainerState.Removing } => ("It is being removed.", "Create it again when it is gone: docker compose up -d"),
            { State: ContainerState.Dead } => ("The engine could neither stop nor remove it.", $"Remove it by force (docker rm -f {container.Name}), or restart the engine; then create it again."),
            { FinishedAt: null } => ("It does not run; the engine did not say why.", $"Read its log (docker logs --tail 100 {container.Name}), and start it: docker start {container.Name}"),
            _ when WasStopped(context) => ($"It was stopped{when}{(LastAct(context) is null ? ", or killed" : "")}: {EvidenceText.ExitCode(container.ExitCode)}.", $"Start it: docker start {container.Name}"),
            { ExitCode: 0 } => ($"It ended by itself{when}, without an error.", $"Start it (docker start {container.Name}); if it ends again, its command is over at once instead of serving."),
            _ => ($"It ended by itself{when}: {EvidenceText.ExitCode(container.ExitCode)}.{context.FailureSentence}", $"Read its log (docker logs --tail 100 {container.Name}), mend the cause, and start it."),
        };
        return new(message, DiagnosisConfidence.High, [string.Create(CultureInfo.InvariantCulture, $"engine: {container.State}{With(context)}, restart policy '{container.RestartPolicy}'"), .. context.LogEnd(5)])
        {
            Remedy = remedy,
        };
    }

    private static string With(DiagnosisContext context) => context.LastExitCode is { } code ? $" with {EvidenceText.ExitCode(code)}" : "";

    private static EngineEvent? LastAct(DiagnosisContext context) => context.Snapshot.Events.LastOrDefault(item => item.Action is "stop" or "kill" or "start");

    /// <summary>Whether somebody asked it to end: the engine tells so for a while, and the exit code hints at it later.</summary>
    private static bool WasStopped(DiagnosisContext context) =>
        LastAct(context) is { } last ? last.Action != "start" : context.Container is { ExitCode: 143 or 137, OutOfMemoryKilled: false };
}
