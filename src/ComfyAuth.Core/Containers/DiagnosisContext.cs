using ComfyAuth.Comfy;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>What the rules look at: a snapshot, and what several of them conclude from it.</summary>
internal sealed class DiagnosisContext
{
    // What nobody asked for says nothing: broadcasts and our own questions are received too.
    private const long LeastTraffic = 4096;
    private const double LeastCpu = 1;
    private const int LinesLookedAt = 200;

    // A program that dies at once can have written before the engine notes that it started.
    private static readonly TimeSpan StartSlack = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SlowLoop = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan YoungLine = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongSilence = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan UsualBoot = TimeSpan.FromMinutes(5);

    private static readonly string[] PassedOn = ["unable to start container process: ", "error during container init: "];

    private readonly SecretRedactor _redactor;
    private readonly Lazy<IReadOnlyList<LogSign>> _signs;

    public DiagnosisContext(ContainerSnapshot snapshot, SecretRedactor redactor)
    {
        Snapshot = snapshot;
        _redactor = redactor;
        Ends = [.. snapshot.Events.Where(item => item.Action == "die").OrderBy(item => item.OccurredAt)];
        if (IsRunning && PortOwner.IsOfAnother(Service.Url, Container!.Ports))
        {
            AnsweredBy = PortOwner.Of(Service.Url.Port, Container.Id, snapshot.Others);
            IsAnsweredByAnother = AnsweredBy is not null || snapshot.Readings.IsLive == true;
        }

        Readings = IsRunning && !IsAnsweredByAnother ? snapshot.Readings : ServiceReadings.None;
        Log = [.. snapshot.Log.TakeLast(LinesLookedAt).Where(IsOfThisRun).Select(line => new LogEntry(Clean(line.Text), line.Timestamp)).Where(line => !string.IsNullOrWhiteSpace(line.Text))];
        EngineError = IsRunning ? "" : Reason(Clean(Container?.Error));
        _signs = new(() => [.. FindSigns()]);
    }

    public ContainerSnapshot Snapshot { get; }

    public ServiceDefinition Service => Snapshot.Service;

    public ContainerDetails? Container => Snapshot.Container;

    public DateTimeOffset Now => Snapshot.TakenAt;

    public bool IsRunning => Container?.State == ContainerState.Running;

    /// <summary>What the service answered; nothing where the container does not run, or the address is another one's.</summary>
    public ServiceReadings Readings { get; }

    /// <summary>The service of this container answers.</summary>
    public bool IsLive => Readings.IsLive == true;

    /// <summary>Whether somebody else answers at the service's address: another container, or another program of this machine.</summary>
    public bool IsAnsweredByAnother { get; }

    /// <summary>Another container that has the service's address on this machine.</summary>
    public ContainerSummary? AnsweredBy { get; }

    /// <summary>How long it has run; null when it does not.</summary>
    public TimeSpan? Uptime => Container is { State: ContainerState.Running or ContainerState.Paused, StartedAt: { } start } ? Since(start) : null;

    /// <summary>The log of its present or last run; of all runs where it ends again and again.</summary>
    public IReadOnlyList<LogEntry> Log { get; }

    /// <summary>Why the engine could not start it the last time; once it runs, that is over.</summary>
    public string EngineError { get; }

    /// <summary>The ends that the engine told of, the oldest first.</summary>
    public IReadOnlyList<EngineEvent> Ends { get; }

    /// <summary>The exit code of its last end; null when it never ended.</summary>
    public int? LastExitCode => Container switch
    {
        { State: ContainerState.Running or ContainerState.Paused } => Ends.Count > 0 && int.TryParse(Ends[^1].Attributes.GetValueOrDefault("exitCode"), out var code) ? code : null,
        { StartedAt: not null } => Container.ExitCode,
        _ => null,
    };

    /// <summary>One of the last runs of the healthcheck passed, since the container started; the engine keeps five.</summary>
    public bool HasPassed => Container is { StartedAt: { } start } && Container.HealthLog.Any(probe => probe.ExitCode == 0 && probe.StartedAt >= start);

    /// <summary>It ends again and again, which a few ends over many days are not.</summary>
    public bool IsLooping => Container is { RestartCount: >= 3, State: ContainerState.Restarting or ContainerState.Running, Health: not ContainerHealthStatus.Healthy } && !IsLive && HasEndedLately;

    // An installation that fails may take a quarter of an hour each time.
    private bool HasEndedLately => Ends.Count >= 2
        || (Snapshot.Events.Count == 0 && Container?.FinishedAt is { } end && Since(end) < Lately)
        || (Container is { CreatedAt: { } made, RestartCount: > 0 and var count } && Since(made) / count < SlowLoop && !(Uptime > SlowLoop));

    /// <summary>Between the two samples it worked, received or wrote.</summary>
    public bool IsActive => Snapshot.Usage is { } usage && (usage.Cpu >= LeastCpu || usage.NetworkReceived >= LeastTraffic || usage.BlockWritten > 0);

    /// <summary>When it last wrote to its log or was seen at work.</summary>
    public DateTimeOffset? LastSignOfLife => IsRunning && IsActive ? Now : LastLine is { } line && line > Now ? Now : LastLine;

    private DateTimeOffset? LastLine => Snapshot.Log.Max(line => line.Timestamp);

    /// <summary>Whether something still happens; null: too early to say, or not enough was seen.</summary>
    public bool? IsMoving => IsActive || (LastLine is { } line && Since(line) < YoungLine) ? true
        : Snapshot.Usage?.Cpu is not null && (LastLine ?? Container?.StartedAt) is { } last && Since(last) > LongSilence ? false
        : null;

    /// <summary>Bytes received since the start; null where the engine does not count them for this container alone.</summary>
    public long? BytesReceived => Container is { NetworkMode: "host" or "none" } || Container?.NetworkMode.StartsWith("container:", StringComparison.Ordinal) != false ? null : Snapshot.Stats?.NetworkReceived;

    /// <summary>Since when nothing but the program's own start can be in the way: the start, or the end of an installation.</summary>
    public DateTimeOffset? BootsSince => Signs(LogTopic.Install).LastOrDefault()?.Line.Timestamp is { } installed && installed > Container?.StartedAt ? installed : Container?.StartedAt;

    /// <summary>Within the time that a start may take. ComfyUI takes less than a minute, with many custom nodes a few.</summary>
    public bool IsYoung => BootsSince is { } since && Since(since) < PatienceWith(Container?.Healthcheck);

    /// <summary>It takes its time and is seen at work, and has not said yet that it listens.</summary>
    public bool IsBusyStarting => Listening is null && IsMoving == true && BootsSince is { } since && Since(since) < ComposeLint.ExpectedInstall.Longest;

    /// <summary>The line with which the server of this run said that it listens.</summary>
    public LogSign? Listening => Signs(LogTopic.Listening).LastOrDefault();

    /// <summary>The last thing that went wrong, near the end of the log or in the engine's own words.</summary>
    public LogSign? Failure => Signs(LogTopic.Failure).LastOrDefault(sign => sign.Index < 0 || sign.Index >= Log.Count - 15);

    /// <summary>What the engine and the log say about a topic, the engine first.</summary>
    public IEnumerable<LogSign> Signs(LogTopic topic) => _signs.Value.Where(sign => sign.Signature.Topic == topic);

    /// <summary>A text as a terminal shows it, without secrets: what is taken out of it would be no part of one that is known.</summary>
    public string Clean(string? text) => EvidenceText.Clean(text, _redactor);

    /// <summary>The last line of what a healthcheck printed.</summary>
    public string OutputOf(ContainerHealthProbe probe) => EvidenceText.LastLine(probe.Output, _redactor);

    /// <summary>A line of the engine or of the log, as evidence.</summary>
    public static string Quote(LogSign sign) => $"{(sign.Index < 0 ? "engine" : "log")}: {sign.Line.Text.Trim()}";

    /// <summary>The time from a moment until now; zero where clocks differ.</summary>
    public TimeSpan Since(DateTimeOffset moment) => Now > moment ? Now - moment : TimeSpan.Zero;

    /// <summary>The last lines of the log, as evidence.</summary>
    public IEnumerable<string> LogEnd(int count) => Log.TakeLast(count).Select(line => $"log: {line.Text.Trim()}");

    /// <summary>Why it failed, as a sentence with a space before it; empty when nobody tells.</summary>
    public string FailureSentence => Failure switch
    {
        null => "",
        { Signature.Meaning.Length: 0 } failure => $" {Speaker(failure)} says: {failure.Line.Text.Trim()}.",
        var failure => $" {Speaker(failure)} says why: {failure.Signature.Meaning}{(failure["what"] is { } what ? $" ({what})" : "")}.",
    };

    /// <summary>Another container that has a port of this machine.</summary>
    public ContainerSummary? OwnerOf(int port) => PortOwner.Of(port, Container?.Id, Snapshot.Others);

    private bool IsOfThisRun(ContainerLogLine line) =>
        line.Timestamp is not { } written || Container?.StartedAt is not { } start || IsLooping || written >= Earlier(start, StartSlack);

    private IEnumerable<LogSign> FindSigns()
    {
        var lines = (EngineError.Length > 0 ? new[] { (-1, new LogEntry(EngineError, null)) } : []).Concat(Log.Select((line, index) => (index, line)));
        foreach (var (index, line) in lines)
        {
            var found = new HashSet<LogTopic>();
            foreach (var signature in LogSignatures.All)
            {
                if (!found.Contains(signature.Topic) && signature.Pattern.Match(line.Text) is { Success: true } match && found.Add(signature.Topic))
                    yield return new LogSign(signature, line, index, match.Groups);
            }
        }
    }

    /// <summary>What the container runtime says, without the names of those who pass it on.</summary>
    private static string Reason(string error)
    {
        foreach (var passedOn in PassedOn)
        {
            if (error.LastIndexOf(passedOn, StringComparison.Ordinal) is >= 0 and var start)
                error = error[(start + passedOn.Length)..];
        }

        return error;
    }

    private static string Speaker(LogSign sign) => sign.Index < 0 ? "The engine" : "The log";

    private static TimeSpan PatienceWith(ContainerHealthcheck? healthcheck) =>
        healthcheck?.StartPeriod > UsualBoot ? healthcheck.StartPeriod : UsualBoot;

    private static DateTimeOffset Earlier(DateTimeOffset moment, TimeSpan by) => moment - DateTimeOffset.MinValue > by ? moment - by : DateTimeOffset.MinValue;
}
