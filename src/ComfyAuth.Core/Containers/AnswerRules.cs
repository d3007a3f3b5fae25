using System.Globalization;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>Rules about what the service answers, or that it does not.</summary>
internal static class AnswerRules
{
    private static readonly TimeSpan ListeningAtLast = TimeSpan.FromSeconds(10);

    /// <summary>Services that answer.</summary>
    public static IReadOnlyList<DiagnosisRule> Answering { get; } =
    [
        new("token-refused", ContainerCondition.TokenRefused,
            "The service asks for a token and refuses ours.",
            "If the PASSWORD file was changed after the container started, restart the container, which reads it at its start only. Else run Sync-ComfyToken, which tells which copy of the token differs.",
            TokenRefused),
        .. HealthRules.All,
        new("ready-open", ContainerCondition.Ready,
            "The service works for everyone who reaches it, although it is meant to ask for a token.",
            "Run Sync-ComfyToken and restart the container. Without a PASSWORD file ComfyUI-Login lets everyone in, and the first visitor of its login page sets the password.",
            Open),
        new("ready", ContainerCondition.Ready,
            "The service answers, and accepts our token where it asks for one.",
            "",
            Ready),
        new("token-unknown", ContainerCondition.Unknown,
            "The service answers and asks for a token, and no token of it is known here.",
            "Run Sync-ComfyToken: it makes a source of truth for the token, or takes the one that the container holds.",
            TokenUnknown),
    ];

    /// <summary>Services that do not answer, or not as they should.</summary>
    public static IReadOnlyList<DiagnosisRule> Silent { get; } =
    [
        new("answers-wrongly", ContainerCondition.Unresponsive,
            "The service answers with an error where it should say that it is well.",
            "Read its log. If the status is 404, correct the service's health path in the stack file.",
            AnswersWrongly),
        new("unresponsive", ContainerCondition.Unresponsive,
            "The container runs, nothing is installed in it, and its service has not answered for longer than a start takes.",
            "Read its log; see that its port is published and that ComfyUI was started with --listen 0.0.0.0; then restart it.",
            Unresponsive),
        new("not-seen", ContainerCondition.Unknown,
            "Something that a diagnosis needs could not be seen.",
            "Remove what stands in the way, and ask again.",
            NotSeen),
    ];

    private static DiagnosisFinding? TokenRefused(DiagnosisContext context)
    {
        if (!context.IsLive || context.Readings.IsReady == true || context.Readings.TokenStatus is not (401 or 403))
            return null;
        var start = context.Container?.StartedAt is { } at ? string.Create(CultureInfo.InvariantCulture, $"{at:u}") : "it started";
        return new(string.Create(CultureInfo.InvariantCulture, $"The service asks for a token and refuses ours: it answers {context.Readings.TokenStatus}."), DiagnosisConfidence.High,
            [.. Answers(context), $"started: {start}"])
        {
            Remedy = $"If the PASSWORD file was changed after {start}, restart the container, which reads it at its start only. Else run Sync-ComfyToken, which tells which copy of the token differs.",
        };
    }

    private static DiagnosisFinding? Open(DiagnosisContext context) =>
        context is { IsLive: true, Service.Auth: not AuthKind.None, Readings: { IsProtected: false, IsReady: not false } }
            ? new($"The service works, and it is OPEN: whoever reaches {context.Service.Url} uses it without a token.", DiagnosisConfidence.High, Answers(context))
            : null;

    private static DiagnosisFinding? Ready(DiagnosisContext context) =>
        context is { IsLive: true, Readings.IsReady: true }
            ? new((context.Readings.IsProtected == true ? "The service answers, refuses strangers, and accepts our token." : "The service answers.")

                    // A healthcheck that cannot pass would have been found before.
                    + (context.Container?.Health != ContainerHealthStatus.Unhealthy ? ""
                        : context.HasPassed ? " Its healthcheck fails now and then." : " Its healthcheck has not noticed yet."),
                DiagnosisConfidence.High, Answers(context))
            : null;

    private static DiagnosisFinding? TokenUnknown(DiagnosisContext context) =>
        context is { IsLive: true, Readings: { IsProtected: true, IsReady: null } }
            ? new("The service answers and asks for a token; whether it works for us cannot be told, because no token of it is known here.", DiagnosisConfidence.High, Answers(context))
            : null;

    private static DiagnosisFinding? AnswersWrongly(DiagnosisContext context)
    {
        if (context is not { IsLive: true, Readings: { IsReady: false } readings } || readings.TokenStatus is 401 or 403)
            return null;

        // That it refuses a request without a token is as it should be.
        var status = readings.IsProtected == true ? readings.TokenStatus : readings.Status;
        var path = context.Service.HealthPath;
        var what = status is null ? $"Asked at {path}, the service gave {readings.Answer}." : string.Create(CultureInfo.InvariantCulture, $"The service answers {status} at {path} instead of 200.");
        return new($"{what}{context.FailureSentence}", DiagnosisConfidence.Medium,
            [.. Answers(context), .. context.LogEnd(3)])
        {
            Remedy = status == 404 ? $"Correct the service's health path in the stack file: {path} is not there." : null,
        };
    }

    private static DiagnosisFinding? Unresponsive(DiagnosisContext context)
    {
        if (context is not { IsRunning: true, Readings.IsLive: false, Container: { StartedAt: not null } container })
            return null;

        var hasListened = context.Listening is { } sign && (sign.Line.Timestamp is not { } since || context.Since(since) > ListeningAtLast);
        var isOnlyInside = Listens(context) is { IsLoopback: true } && container.NetworkMode != "host";
        var published = container.Ports.Where(port => port.PublicPort is not null).Select(PortText.Of).ToList();
        var (ports, remedy) = container.NetworkMode == "host" ? ("it is on the host's network", null)
            : isOnlyInside ? ("it listens inside the container only", "Start ComfyUI with --listen 0.0.0.0, and recreate the container.")
            : published.Count == 0 ? ("it publishes no port, so nothing outside reaches it", string.Create(CultureInfo.InvariantCulture, $"Publish its port in the compose file, as in ports: [\"127.0.0.1:{context.Service.Url.Port}:8188\"], and recreate the container."))
            : container.Ports.All(port => port.PublicPort != context.Service.Url.Port) ? ($"it publishes {string.Join(", ", published)}", "Correct the port of the service's url in the stack file, or the published port in the compose file.")
            : ($"it publishes {string.Join(", ", published)}", (string?)null);
        if (container.Health == ContainerHealthStatus.Healthy)
            ports += "; its healthcheck passes, so it answers inside the container";
        return new($"It has run for {Duration.Format(context.Uptime ?? TimeSpan.Zero)}{(hasListened ? ", says that it listens" : "")}, and does not answer at {context.Service.Url}: {context.Readings.Answer}; {ports}.{context.FailureSentence}",
            hasListened ? DiagnosisConfidence.High : DiagnosisConfidence.Medium,
            [$"asked at {context.Service.Url}: {context.Readings.Answer}", .. hasListened ? [DiagnosisContext.Quote(context.Listening!)] : Array.Empty<string>(), .. InstallRules.Activity(context), .. context.LogEnd(4)])
        {
            Remedy = remedy,
        };
    }

    private static DiagnosisFinding? NotSeen(DiagnosisContext context) =>
        context.Snapshot.NotSeen.Count > 0 || context is { IsRunning: true, Readings.IsLive: null }
            ? new($"What it does could not be found out{(context.IsRunning ? $"; asked at {context.Service.Url}: {context.Readings.Answer}" : "")}.", DiagnosisConfidence.Low, [$"engine: {context.Container?.State}"])
            : null;

    private static Uri? Listens(DiagnosisContext context) => Uri.TryCreate(context.Listening?["url"], UriKind.Absolute, out var url) ? url : null;

    private static List<string> Answers(DiagnosisContext context)
    {
        var readings = context.Readings;
        var answers = new List<string> { $"without a token: {readings.Status?.ToString(CultureInfo.InvariantCulture) ?? readings.Answer}" };
        if (readings.TokenStatus is { } status)
            answers.Add(string.Create(CultureInfo.InvariantCulture, $"with our token: {status}"));
        return answers;
    }
}
