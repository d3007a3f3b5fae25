namespace ComfyAuth.Models;

/// <summary>Counts the bytes of one download, and tells some times a second how far it is.</summary>
internal sealed class DownloadMeter : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    // Over which time the speed is smoothed.
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(3);

    private readonly ModelDownload _download;
    private readonly IProgress<ModelDownloadProgress>? _progress;
    private readonly TimeProvider _time;
    private readonly PeriodicTimer? _timer;
    private readonly Task _telling;
    private readonly object _lock = new();
    private long _done;
    private long _received;
    private long _lastDone;
    private long _lastAt;
    private double _speed;

    public DownloadMeter(ModelDownload download, IProgress<ModelDownloadProgress>? progress, TimeProvider time)
    {
        (_download, _progress, _time, _lastAt) = (download, progress, time, time.GetTimestamp());
        _timer = progress is null ? null : new(Interval, time);
        _telling = _timer is null ? Task.CompletedTask : TellAsync(_timer);
    }

    /// <summary>How many bytes came over the network.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>How many bytes of the file are there.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>The size of the file in bytes; null while it is not known.</summary>
    public long? Total { get; set; }

    private ModelDownloadPhase Phase { get; set; }

    /// <summary>Begins another phase.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="done">How many bytes are there already.</param>
    public void Enter(ModelDownloadPhase phase, long done = 0)
    {
        lock (_lock)
        {
            Phase = phase;
            Interlocked.Exchange(ref _done, done);
            (_lastDone, _lastAt, _speed) = (done, _time.GetTimestamp(), 0);
            Tell();
        }
    }

    /// <summary>Counts bytes that came over the network.</summary>
    public void Receive(int bytes)
    {
        Interlocked.Add(ref _received, bytes);
        Interlocked.Add(ref _done, bytes);
    }

    /// <summary>Counts bytes that are to be loaded again.</summary>
    public void Lose(int bytes) => Interlocked.Add(ref _done, -bytes);

    /// <summary>Sets how far reading is.</summary>
    public void Set(long done) => Interlocked.Exchange(ref _done, done);

    public async ValueTask DisposeAsync()
    {
        _timer?.Dispose();
        await _telling.ConfigureAwait(false);
    }

    private async Task TellAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false))
        {
            lock (_lock)
                Tell();
        }
    }

    private void Tell()
    {
        if (_progress is null)
            return;

        var (now, done) = (_time.GetTimestamp(), Interlocked.Read(ref _done));
        var elapsed = _time.GetElapsedTime(_lastAt, now);
        if (elapsed > TimeSpan.Zero)
        {
            var speed = Math.Max(0, done - _lastDone) / elapsed.TotalSeconds;
            var weight = _speed == 0 ? 1 : 1 - Math.Exp(-elapsed / Memory);
            _speed += weight * (speed - _speed);
            (_lastDone, _lastAt) = (done, now);
        }

        var left = Total - done;
        _progress.Report(new(_download, Phase, done, Total, _speed, left > 0 && _speed > 0 && left / _speed < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(left.Value / _speed) : null));
    }
}
