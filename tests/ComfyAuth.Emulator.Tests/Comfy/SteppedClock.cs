using System.Threading.Channels;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>A clock whose timers ring one by one, when a test says so.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private readonly Channel<(TimeSpan Due, Action Ring)> _timers = Channel.CreateUnbounded<(TimeSpan, Action)>();

    /// <summary>Waits until somebody sets a timer for this length of time, and lets it ring.</summary>
    public async Task NextTimerAsync(TimeSpan due, CancellationToken stop)
    {
        var (set, ring) = await _timers.Reader.ReadAsync(stop);
        Assert.Equal(due, set);
        ring();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _timers.Writer.TryWrite((dueTime, () => callback(state)));
        return new Unset();
    }

    private sealed class Unset : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
