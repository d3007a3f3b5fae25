using System.Globalization;
using System.Text.RegularExpressions;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>Rules about healthchecks that fail although the service answers.</summary>
internal static partial class HealthRules
{
    private const int TimedOut = -1;

    public static IReadOnlyList<DiagnosisRule> All { get; } =
    [
        new("healthcheck-program-missing", ContainerCondition.HealthcheckCannotPass,
            "The service answers; the healthcheck runs a program that the image does not have.",
            "Use a program that the image has, such as python -c with urllib.request, or install curl in the image, and recreate the container.",
            ProgramMissing),
        new("healthcheck-behind-login", ContainerCondition.HealthcheckCannotPass,
            "The service answers; the healthcheck asks it without a token and takes the refusal, 401, for a failure.",
            "Let the healthcheck ask /login, as in: curl -f http://localhost:8188/login, or accept 401 as an answer, and recreate the container.",
            BehindLogin),
        new("healthcheck-times-out", ContainerCondition.HealthcheckCannotPass,
            "The service answers us; the healthcheck runs into its timeout.",
            "Raise the healthcheck's timeout, or let it ask a path that answers at once, and recreate the container.",
            TimesOut),
        new("healthcheck-fails", ContainerCondition.HealthcheckCannotPass,
            "The service answers us; the healthcheck fails for a reason of its own.",
            "Run the healthcheck's command in the container with 'docker exec', correct it, and recreate the container.",
            Fails),
    ];

    private static DiagnosisFinding? ProgramMissing(DiagnosisContext context)
    {
        if (FailedProbe(context) is not { } probe || Missing().Match(context.OutputOf(probe)) is not { Success: var isNamed } match || !(isNamed || probe.ExitCode is 126 or 127))
            return null;
        var what = isNamed ? $"'{match.Groups["program"].Value}', which the image does not have" : "a program that cannot be run";
        return Finding(context, probe, $"runs {what}", DiagnosisConfidence.High);
    }

    private static DiagnosisFinding? BehindLogin(DiagnosisContext context)
    {
        if (!IsFailing(context, out var healthcheck) || context.Service.Auth == AuthKind.None || context.Readings.IsProtected == false)
            return null;
        var probe = FailedProbe(context);

        // A probe that passed knows better than we do.
        if (probe is null && context.Container!.HealthLog.Count > 0)
            return null;
        var seen = probe is not null && Refused().IsMatch(context.OutputOf(probe)) ? "it gets 401 without a token" : null;
        var why = (context.Service.Auth == AuthKind.ComfyUILogin ? HealthcheckVerdict.WhyItFails(Words(healthcheck)) : null) ?? seen;
        return why is null ? null : Finding(context, probe, $"cannot pass: {why}", probe is null ? DiagnosisConfidence.Medium : DiagnosisConfidence.High);
    }

    private static DiagnosisFinding? TimesOut(DiagnosisContext context) =>
        FailedProbe(context) is { ExitCode: TimedOut } probe
            ? Finding(context, probe, $"does not end within its timeout of {Duration.Format(context.Container!.Healthcheck!.Timeout)}", DiagnosisConfidence.Medium)
            : null;

    private static DiagnosisFinding? Fails(DiagnosisContext context)
    {
        if (FailedProbe(context) is not { } probe || probe.ExitCode == TimedOut)
            return null;
        if (!NotReached().IsMatch(context.OutputOf(probe)))
            return Finding(context, probe, $"fails with exit code {probe.ExitCode.ToString(CultureInfo.InvariantCulture)}", DiagnosisConfidence.Low);

        // It can be of the time before the service listened; the next one will pass then.
        return context.Listening?.Line.Timestamp < probe.StartedAt
            ? Finding(context, probe, "does not reach it, so it asks at another address or port", DiagnosisConfidence.Medium)
            : null;
    }

    private static bool IsFailing(DiagnosisContext context, out ContainerHealthcheck healthcheck)
    {
        healthcheck = context.Container?.Healthcheck!;
        return context.IsLive && healthcheck is { Test: [not "NONE", ..] } && context.Container!.Health is ContainerHealthStatus.Starting or ContainerHealthStatus.Unhealthy;
    }

    /// <summary>The last run of a failing healthcheck, if that failed; one that passes now and then can pass.</summary>
    private static ContainerHealthProbe? FailedProbe(DiagnosisContext context) =>
        IsFailing(context, out _) && !context.HasPassed && context.Container!.HealthLog is [.., { ExitCode: not 0 } probe] ? probe : null;

    private static DiagnosisFinding Finding(DiagnosisContext context, ContainerHealthProbe? probe, string what, DiagnosisConfidence confidence)
    {
        var container = context.Container!;
        var evidence = new List<string> { $"healthcheck: {string.Join(' ', Words(container.Healthcheck!))}" };
        if (probe is not null)
        {
            evidence.Add(string.Create(CultureInfo.InvariantCulture, $"its last answer: exit code {probe.ExitCode}, {(context.OutputOf(probe) is { Length: > 0 } output ? output : "no output")}"));
            evidence.Add(string.Create(CultureInfo.InvariantCulture, $"failures in a row: {container.HealthFailingStreak}; {container.Healthcheck!.Retries} make it unhealthy"));
        }

        evidence.Add($"the service itself answers: {context.Readings.Answer}");
        return new($"The service answers, but its healthcheck {what}.", confidence, evidence) { IsAside = container.Health != ContainerHealthStatus.Unhealthy };
    }

    private static IReadOnlyList<string> Words(ContainerHealthcheck healthcheck) =>
        healthcheck.Test is ["CMD" or "CMD-SHELL", ..] test ? [.. test.Skip(1)] : healthcheck.Test;

    [GeneratedRegex(@"(^|[\s'""])(?<program>[\w./-]{1,100})['""]?: (command |executable file )?not found|can't open '?(?<program>[\w./-]{1,100})", RegexOptions.CultureInvariant)]
    private static partial Regex Missing();

    [GeneratedRegex(@"\b401\b", RegexOptions.CultureInvariant)]
    private static partial Regex Refused();

    [GeneratedRegex(@"curl: \((7|52|56|28)\)|connection refused|connection reset|couldn't connect|can't connect|failed to connect|empty reply", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NotReached();
}
