using System.Collections.Concurrent;

namespace ComfyAuth.Models;

/// <summary>The buffers of all downloads together: as many as there are, no more, so that memory is bounded.</summary>
/// <param name="count">How many there are.</param>
/// <param name="length">The length of each in bytes.</param>
internal sealed class BufferPool(int count, int length) : IDisposable
{
    private readonly SemaphoreSlim _free = new(count);
    private readonly ConcurrentBag<byte[]> _buffers = [];

    /// <summary>How many bytes they hold in all.</summary>
    public long TotalBytes => (long)count * length;

    /// <summary>Waits for one that is free.</summary>
    public async Task<byte[]> TakeAsync(CancellationToken stop)
    {
        await _free.WaitAsync(stop).ConfigureAwait(false);
        return _buffers.TryTake(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>Gives one back.</summary>
    public void Release(byte[] buffer)
    {
        _buffers.Add(buffer);
        _free.Release();
    }

    public void Dispose() => _free.Dispose();
}
