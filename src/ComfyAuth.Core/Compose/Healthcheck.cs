namespace ComfyAuth.Compose;

/// <summary>How the engine asks a container whether it is well (Compose specification, "healthcheck").</summary>
public sealed record Healthcheck
{
    /// <summary>What it runs.</summary>
    public required HealthcheckKind Kind { get; init; }

    /// <summary>The program and its arguments, or the one line for the shell. May hold a secret where the file's author put one there.</summary>
    public IReadOnlyList<string> Test { get; init; } = [];

    /// <summary>From the end of one probe to the start of the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one probe may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many probes must fail in a row.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>How long after the start failures do not count.</summary>
    public TimeSpan StartPeriod { get; init; }

    /// <summary>The interval during the start period (Engine 25 and later).</summary>
    public TimeSpan StartInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where it is written.</summary>
    public required ComposePlace Place { get; init; }

    /// <summary>
    /// About when after its start a container that never answers is called unhealthy:
    /// the start period, and then as many intervals and probes as there are retries.
    /// </summary>
    /// <param name="probeTime">How long one probe takes; no longer than <see cref="Timeout"/> counts.</param>
    /// <returns>The time after the start; null when nothing is probed.</returns>
    public TimeSpan? PredictedUnhealthyAfter(TimeSpan probeTime = default)
    {
        return Kind == HealthcheckKind.None ? null : PredictedUnhealthyAfter(StartPeriod, Retries, Interval, probeTime < Timeout ? probeTime : Timeout);
    }

    /// <summary>The same out of single numbers, for a healthcheck that is not out of a compose file or has already failed a few times.</summary>
    /// <param name="startPeriod">How long failures do not count.</param>
    /// <param name="retries">How many probes must fail.</param>
    /// <param name="interval">From the end of one probe to the start of the next.</param>
    /// <param name="probeTime">How long one probe takes.</param>
    internal static TimeSpan PredictedUnhealthyAfter(TimeSpan startPeriod, int retries, TimeSpan interval, TimeSpan probeTime)
    {
        // Absurd settings reach beyond what a TimeSpan holds.
        var seconds = startPeriod.TotalSeconds + (retries * (interval.TotalSeconds + probeTime.TotalSeconds));
        return seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(Math.Max(0, seconds)) : TimeSpan.MaxValue;
    }

    internal static Healthcheck Read(ComposeReader map)
    {
        var words = map.Scalars("test").Select(word => word.Text!).ToArray();
        var kind = map.Node["test"] switch
        {
            _ when map.Boolean("disable") == true => HealthcheckKind.None,
            null => HealthcheckKind.Image,
            ComposeScalar => HealthcheckKind.Shell,
            var test => words switch
            {
                ["NONE"] => HealthcheckKind.None,
                ["CMD", _, ..] => HealthcheckKind.Command,
                ["CMD-SHELL", _, ..] => HealthcheckKind.Shell,
                _ => throw test.Error("the list 'test' must begin with NONE, or with CMD or CMD-SHELL and a command", "Write '[\"CMD\", \"curl\", ...]', or one text."),
            },
        };

        // To the engine zero means: not said.
        var basis = new Healthcheck { Kind = kind, Place = map.PlaceOf("test") };
        var retries = map.Integer("retries") ?? 0;
        return basis with
        {
            Test = kind is HealthcheckKind.None ? [] : map.Node["test"] is ComposeSequence ? words[1..] : words,
            Interval = Positive(map.Duration("interval")) ?? basis.Interval,
            Timeout = Positive(map.Duration("timeout")) ?? basis.Timeout,
            Retries = retries == 0 ? basis.Retries : retries is > 0 and <= 1_000_000 ? retries : throw map.Scalar("retries")!.Error("'retries' is out of bounds", "Give 1 or more."),
            StartPeriod = map.Duration("start_period") ?? basis.StartPeriod,
            StartInterval = Positive(map.Duration("start_interval")) ?? basis.StartInterval,
        };
    }

    private static TimeSpan? Positive(TimeSpan? value) => value > TimeSpan.Zero ? value : null;
}
