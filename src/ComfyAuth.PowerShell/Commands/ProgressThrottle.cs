namespace ComfyAuth.PowerShell.Commands;

/// <summary>Lets at most five updates a second through, the latest of those offered in between.</summary>
internal sealed class ProgressThrottle(TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private ProgressUpdate? pending;
    private ProgressUpdate? shown;
    private long shownAt;

    /// <summary>How long a wait may last before an update is due; -1 without one, as waiting methods take it.</summary>
    public int MillisecondsUntilDue
        => Volatile.Read(ref pending) is null ? Timeout.Infinite
            : shown is null ? 0
            : Math.Max(0, (int)Math.Ceiling((Interval - clock.GetElapsedTime(shownAt)).TotalMilliseconds));

    /// <summary>Takes an update from any thread.</summary>
    /// <returns>Whether none was waiting, so that the pipeline thread does not know yet.</returns>
    public bool Offer(ProgressUpdate update) => Interlocked.Exchange(ref pending, update) is null;

    /// <summary>The update to show now, if one is due.</summary>
    public ProgressUpdate? TakeDue()
    {
        if (MillisecondsUntilDue != 0 || Interlocked.Exchange(ref pending, null) is not { } update)
            return null;

        shownAt = clock.GetTimestamp();
        return shown = update;
    }

    /// <summary>Forgets everything.</summary>
    /// <returns>The update shown last, if any was.</returns>
    public ProgressUpdate? Complete()
    {
        var last = shown;
        shown = null;
        Interlocked.Exchange(ref pending, null);
        return last;
    }
}
