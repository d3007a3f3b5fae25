namespace ComfyAuth.PowerShell.Commands;

/// <summary>Lets at most five updates a second through, the latest of those offered in between.</summary>
internal sealed class ProgressThrottle(TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private ProgressUpdate? _pending;
    private ProgressUpdate? _shown;
    private long _shownAt;

    /// <summary>How long a wait may last before an update is due; -1 without one, as waiting methods take it.</summary>
    public int MillisecondsUntilDue
        => Volatile.Read(ref _pending) is null ? Timeout.Infinite
            : _shown is null ? 0
            : Math.Max(0, (int)Math.Ceiling((Interval - clock.GetElapsedTime(_shownAt)).TotalMilliseconds));

    /// <summary>Takes an update from any thread.</summary>
    /// <returns>Whether none was waiting, so that the pipeline thread does not know yet.</returns>
    public bool Offer(ProgressUpdate update) => Interlocked.Exchange(ref _pending, update) is null;

    /// <summary>The update to show now, if one is due.</summary>
    public ProgressUpdate? TakeDue()
    {
        if (MillisecondsUntilDue != 0 || Interlocked.Exchange(ref _pending, null) is not { } update)
            return null;

        _shownAt = clock.GetTimestamp();
        return _shown = update;
    }

    /// <summary>Forgets everything.</summary>
    /// <returns>The update shown last, if any was.</returns>
    public ProgressUpdate? Complete()
    {
        var last = _shown;
        _shown = null;
        Interlocked.Exchange(ref _pending, null);
        return last;
    }
}
