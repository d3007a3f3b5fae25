namespace ComfyAuth.Models;

/// <summary>Holds all connections together to so many bytes a second.</summary>
internal sealed class BandwidthLimit(long? bytesPerSecond, TimeProvider time)
{
    private const int Piece = 64 * 1024;

    private readonly object _lock = new();
    private readonly long _started = time.GetTimestamp();
    private TimeSpan _paidUntil;

    /// <summary>How many bytes to read at a time: few where there is a limit, so that the line is used evenly.</summary>
    public int LongestRead { get; } = bytesPerSecond is null ? int.MaxValue : Piece;

    /// <summary>Waits until what was read is paid for.</summary>
    public Task PayAsync(int bytes, CancellationToken stop)
    {
        if (bytesPerSecond is not { } rate)
            return Task.CompletedTask;

        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_started);
            _paidUntil = (_paidUntil > now ? _paidUntil : now) + TimeSpan.FromSeconds((double)bytes / rate);
            wait = _paidUntil - now;
        }

        return Task.Delay(wait, time, stop);
    }
}
