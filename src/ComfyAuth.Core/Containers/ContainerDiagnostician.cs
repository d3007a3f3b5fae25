using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;

namespace ComfyAuth.Containers;

/// <summary>Concludes from what was seen of a container what it is doing.</summary>
public static class ContainerDiagnostician
{
    private const int MostEvidence = 10, LongestSentence = 600;

    /// <summary>The rules, the most telling first: the first that finds its condition names the diagnosis, the others are told beside it.</summary>
    public static IReadOnlyList<DiagnosisRule> Rules { get; } =
    [
        .. StartRules.All,
        .. GpuRules.All,
        .. EndRules.All,
        .. AnswerRules.Answering,
        .. InstallRules.All,
        .. AnswerRules.Silent,
    ];

    /// <summary>Makes the diagnosis.</summary>
    /// <param name="snapshot">What was seen.</param>
    /// <param name="redactor">Takes the secrets out of the evidence.</param>
    public static ContainerDiagnosis Diagnose(ContainerSnapshot snapshot, SecretRedactor redactor) => Diagnose(snapshot, redactor, Rules);

    /// <summary>Makes the diagnosis with some of the rules only.</summary>
    internal static ContainerDiagnosis Diagnose(ContainerSnapshot snapshot, SecretRedactor redactor, IReadOnlyList<DiagnosisRule> rules)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(redactor);
        var context = new DiagnosisContext(snapshot, redactor);
        var found = rules.Select(rule => (Rule: rule, Finding: rule.Look(context)!)).Where(item => item.Finding is not null).ToList();
        var first = found.FirstOrDefault(item => !item.Finding.IsAside) is { Rule: not null } telling ? telling : found.FirstOrDefault();
        var condition = first.Rule?.Condition ?? ContainerCondition.Unknown;
        var beside = found.Where(item => item.Rule.Condition != condition && IsWorthTelling(item.Rule.Condition)).DistinctBy(item => item.Rule.Condition).ToList();
        var finding = first.Finding ?? new("What it does could not be found out: nothing that is known fits what was seen.", DiagnosisConfidence.Low, [$"the service: {snapshot.Readings.Answer}"]);
        var remedy = finding.Remedy ?? first.Rule?.Remedy ?? "";
        if (remedy.Length == 0 && beside.Count > 0)
            remedy = beside[0].Finding.Remedy ?? beside[0].Rule.Remedy;

        var container = snapshot.Container;
        var isInstalling = condition == ContainerCondition.Installing;
        var isRunning = context.IsRunning;
        return new ContainerDiagnosis
        {
            Stack = snapshot.Stack,
            Service = snapshot.Service.Name,
            Container = snapshot.Service.Container,
            Condition = condition,
            Confidence = finding.Confidence,

            // What does not run answers nobody, whoever has its address.
            IsLive = isRunning ? context.Readings.IsLive : IsKnownNotToRun(snapshot) ? false : null,
            IsProtected = context.Readings.IsProtected,
            IsReady = isRunning ? context.Readings.IsReady : IsKnownNotToRun(snapshot) ? false : null,
            State = container?.State,
            Health = container?.Health ?? ContainerHealthStatus.None,
            Message = EvidenceText.Show(finding.Message, redactor, LongestSentence),
            Evidence =
            [
                .. finding.Evidence
                    .Concat(beside.Select(item => $"also {item.Rule.Condition}: {item.Finding.Message}"))
                    .Concat(snapshot.NotSeen.Select(line => $"not seen: {line}"))
                    .Select(line => EvidenceText.Show(line, redactor)).Where(line => line.Length > 0).Distinct().Take(MostEvidence),
            ],
            Remedy = EvidenceText.Show(remedy, redactor, LongestSentence),
            Also = [.. beside.Select(item => item.Rule.Condition)],
            Package = isInstalling && finding.Package is { } package ? EvidenceText.Show(package, redactor) : null,
            BytesReceived = isInstalling ? context.BytesReceived : null,
            IsMoving = isInstalling || condition == ContainerCondition.Starting ? context.IsMoving : null,
            LastSignOfLife = context.LastSignOfLife,
            UnhealthyAt = UnhealthyAt(context, condition == ContainerCondition.HealthcheckCannotPass || beside.Any(item => item.Rule.Condition == ContainerCondition.HealthcheckCannotPass)),
            Image = container?.Image,
            Id = container?.Id,
            StartedAt = container?.StartedAt,
            Uptime = context.Uptime,
            RestartCount = container?.RestartCount ?? 0,
            ExitCode = isRunning || container?.State == ContainerState.Paused ? null : context.LastExitCode,
            Ports = [.. (container?.Ports ?? []).Select(PortText.Of)],
            Cpu = Cpu(snapshot, context.Uptime),
            MemoryUsed = snapshot.Usage?.MemoryUsed ?? snapshot.Stats?.MemoryUsed,
            MemoryLimit = container?.MemoryLimit,
            ObservedAt = snapshot.TakenAt,
        };
    }

    /// <summary>Whether a condition says something beside another one: that it does not run, or not yet, shows already.</summary>
    private static bool IsWorthTelling(ContainerCondition condition) => condition is
        ContainerCondition.HealthcheckCannotPass or ContainerCondition.TokenRefused or ContainerCondition.CrashLoop or ContainerCondition.OutOfMemory
        or ContainerCondition.MountMissing or ContainerCondition.MountIsDirectory or ContainerCondition.PortConflict or ContainerCondition.GpuMissing;

    private static bool IsKnownNotToRun(ContainerSnapshot snapshot) =>
        snapshot.Container?.State is not (ContainerState.Running or ContainerState.Unknown);

    private static double? Cpu(ContainerSnapshot snapshot, TimeSpan? uptime) =>
        snapshot.Usage?.Cpu ?? (snapshot.Stats is { } stats && uptime is { TotalSeconds: > 0 and var seconds } ? stats.CpuTime.TotalSeconds / seconds * 100 : null);

    /// <summary>When the healthcheck will have failed as often as it may; it will not where the service answers and it can pass.</summary>
    private static DateTimeOffset? UnhealthyAt(DiagnosisContext context, bool cannotPass)
    {
        if (context is not { IsRunning: true, Container: { Health: ContainerHealthStatus.Starting, StartedAt: { } start, Healthcheck: { Test: [not "NONE", ..] } check } container }
            || (context.IsLive && !cannotPass))
        {
            return null;
        }

        var measured = container.HealthLog.Where(probe => probe.EndedAt > probe.StartedAt).Select(probe => (probe.EndedAt!.Value - probe.StartedAt!.Value).TotalSeconds).DefaultIfEmpty().Average();
        var probeTime = TimeSpan.FromSeconds(Math.Min(measured, check.Timeout.TotalSeconds));
        var last = container.HealthFailingStreak > 0 && container.HealthLog is [.., var newest] ? newest.EndedAt : null;
        var at = last is { } probed
            ? Later(probed, Healthcheck.PredictedUnhealthyAfter(TimeSpan.Zero, Math.Max(0, check.Retries - container.HealthFailingStreak), check.Interval, probeTime))
            : Later(start, Healthcheck.PredictedUnhealthyAfter(check.StartPeriod, check.Retries, check.Interval, probeTime));
        return at > context.Now ? at : context.Now;
    }

    private static DateTimeOffset Later(DateTimeOffset moment, TimeSpan by) => DateTimeOffset.MaxValue - moment > by ? moment + by : DateTimeOffset.MaxValue;
}
