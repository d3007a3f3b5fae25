using System.Buffers.Binary;
using System.Net;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using ComfyAuth.Comfy;
using Microsoft.Extensions.Logging;
using Polly;

namespace ComfyAuth.Models;

/// <summary>
/// Loads what is missing of one file over several connections, and hashes the whole in order meanwhile.
/// </summary>
/// <remarks>
/// Each connection takes one of few buffers, which all downloads share, and the next missing segment; the segment goes to the disk, and its buffer to the
/// hash. A segment that is in work has a buffer, and all before it have theirs or had them, so that the hash, which waits for the first
/// of them, is never waited for in turn. Only where the hash is far behind, since it still reads what an earlier run had loaded, are
/// segments read back from the disk.
/// </remarks>
internal sealed partial class ModelTransfer : IDisposable
{
    private const int LengthBytes = 8;
    private const ulong LongestHeader = (ulong)SafetensorsHeader.LongestHeader;

    // What brings at least so much is no failed attempt.
    private const int Progress = 64 * 1024;

    // Less than this within the time for a stall is as good as nothing: one trickling connection would hold up the whole file.
    private const int Trickle = 4 * 1024;

    private readonly HubClient _hub;
    private readonly ModelDownload _download;
    private readonly PartFile _part;
    private readonly ModelDownloadOptions _options;
    private readonly ResiliencePipeline _retry;
    private readonly BandwidthLimit _limit;
    private readonly BufferPool _buffers;
    private readonly DownloadMeter _meter;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<string> _note;
    private readonly IReadOnlyList<Segment> _segments;
    private readonly SemaphoreSlim _resolving = new(1, 1);
    private readonly bool _isHashKnown;
    private RemoteFile _remote;

    // The entity tag of the first answer; and whether servers have different ones for the same content.
    private string? _tag;
    private volatile bool _areTagsMixed;
    private int _next;
    private long _hashed;

    public ModelTransfer(
        HubClient hub,
        ModelDownload download,
        RemoteFile remote,
        PartFile part,
        ModelDownloadOptions options,
        ResiliencePipeline retry,
        BandwidthLimit limit,
        BufferPool buffers,
        DownloadMeter meter,
        TimeProvider time,
        ILogger logger,
        Action<string> note)
    {
        (_hub, _download, _remote, _part, _options, _retry) = (hub, download, remote, part, options, retry);
        (_limit, _buffers, _meter, _time, _logger, _note) = (limit, buffers, meter, time, logger, note);
        _isHashKnown = (download.Sha256 ?? remote.Sha256) is not null;
        _tag = remote.ServerTag;
        _segments = [.. part.Cut(options.ChunkBytes).Select(piece => new Segment(piece.From, piece.To, piece.IsThere))];
    }

    /// <summary>Loads it.</summary>
    /// <returns>The SHA-256 of the whole.</returns>
    /// <exception cref="RemoteChangedException">The hub has another content by now.</exception>
    public async Task<string> RunAsync(CancellationToken stop)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var hash = Task.Run(() => HashAsync(all.Token), CancellationToken.None);
        var journal = KeepJournalAsync(all.Token);
        var load = LoadAsync(all.Token);
        try
        {
            // The hash fails where what came is no model.
            var first = await Task.WhenAny(load, hash).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            await load.ConfigureAwait(false);

            // The disk is handed the last bytes while they are hashed.
            var flush = Task.Run(_part.Flush, CancellationToken.None);
            var result = await hash.ConfigureAwait(false);
            await flush.ConfigureAwait(false);
            return result;
        }
        finally
        {
            await all.CancelAsync().ConfigureAwait(false);
            foreach (var task in (Task[])[load, hash, journal])
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // Other downloads wait for the buffers that the hash did not get to.
            foreach (var segment in _segments.Where(segment => !segment.IsThere && segment.IsLoaded && segment.From >= _hashed))
            {
                if (await segment.Loaded.ConfigureAwait(false) is { } buffer)
                    _buffers.Release(buffer);
            }
        }
    }

    public void Dispose() => _resolving.Dispose();

    private async Task LoadAsync(CancellationToken stop)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var missing = _segments.Count(segment => !segment.IsThere);
        var workers = Enumerable.Range(0, Math.Min(_options.Connections, missing)).Select(_ => Task.Run(() => WorkAsync(all.Token), CancellationToken.None)).ToList();
        Exception? failure = null;
        while (workers.Count > 0)
        {
            var ended = await Task.WhenAny(workers).ConfigureAwait(false);
            workers.Remove(ended);
            try
            {
                await ended.ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // The others end by the first.
                failure ??= error;
                await all.CancelAsync().ConfigureAwait(false);
            }
        }

        if (failure is RangesIgnoredException)
            await StreamAsync(stop).ConfigureAwait(false);
        else if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Loads one missing segment after the other.</summary>
    private async Task WorkAsync(CancellationToken stop)
    {
        while (true)
        {
            var buffer = await _buffers.TakeAsync(stop).ConfigureAwait(false);
            var segment = Next();
            if (segment is null)
            {
                _buffers.Release(buffer);
                return;
            }

            try
            {
                while (segment.Filled < segment.Length)
                    await _retry.ExecuteAsync(async token => await FillAsync(segment, buffer, token).ConfigureAwait(false), stop).ConfigureAwait(false);
            }
            catch
            {
                // What came of it is kept for the next run.
                var filled = segment.Filled;
                segment.Filled = 0;
                try
                {
                    await _part.WriteAsync(buffer.AsMemory(0, filled), segment.From, CancellationToken.None).ConfigureAwait(false);
                }
                finally
                {
                    _buffers.Release(buffer);
                }

                throw;
            }

            await FinishAsync(segment, buffer).ConfigureAwait(false);
        }
    }

    private Segment? Next()
    {
        lock (_segments)
        {
            while (_next < _segments.Count && _segments[_next].IsThere)
                _next++;
            return _next < _segments.Count ? _segments[_next++] : null;
        }
    }

    private async Task FinishAsync(Segment segment, byte[] buffer)
    {
        try
        {
            // Also when it is given up meanwhile: what has come whole is kept for the next run.
            await _part.WriteAsync(buffer.AsMemory(0, (int)segment.Length), segment.From, CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            _buffers.Release(buffer);
            throw;
        }

        if (segment.From < Interlocked.Read(ref _hashed) + _buffers.TotalBytes)
        {
            segment.Complete(buffer);
        }
        else
        {
            _buffers.Release(buffer);
            segment.Complete(null);
        }
    }

    /// <summary>Asks for the rest of a segment once.</summary>
    private async Task FillAsync(Segment segment, byte[] buffer, CancellationToken stop)
    {
        var remote = Volatile.Read(ref _remote);
        var (from, before) = (segment.From + segment.Filled, segment.Filled);
        using var response = await OpenAsync(remote, from, segment.To, stop).ConfigureAwait(false);
        await JudgeAsync(response, remote, stop).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.OK)
            throw new RangesIgnoredException();
        if (response.Content.Headers.ContentRange is not { From: { } first, To: { } last } || first != from || last < first)
            throw HubErrors.Invalid(remote.Address, "it sends another range than it was asked for");

        var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var failure = await ReadAsync(body, remote.Address, segment, buffer, Math.Min(last + 1, segment.To), stop).ConfigureAwait(false);
        if (segment.Filled == segment.Length || segment.Filled - before >= Math.Min(Progress, segment.Length / 4))
            return;

        // A server of the storage that promises bytes and sends none: the hub may name another.
        if (segment.Filled == before && remote.IsStored)
            await RenewAsync(remote, stop).ConfigureAwait(false);
        throw failure ?? HubErrors.Cut(remote.Address);
    }

    /// <summary>Loads the whole in one stream from a server that knows no ranges, and takes what is missing.</summary>
    private async Task StreamAsync(CancellationToken stop)
    {
        LogRangesIgnored(_logger, _download.Name);
        _meter.Set(_segments.Where(segment => segment.IsLoaded).Sum(segment => segment.Length));
        while (_segments.Any(segment => !segment.IsLoaded))
            await _retry.ExecuteAsync(async token => await StreamOnceAsync(token).ConfigureAwait(false), stop).ConfigureAwait(false);
    }

    private async Task StreamOnceAsync(CancellationToken stop)
    {
        var remote = Volatile.Read(ref _remote);
        using var response = await OpenAsync(remote, 0, null, stop).ConfigureAwait(false);
        await JudgeAsync(response, remote, stop).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
            throw HubErrors.Invalid(remote.Address, "it sends a range that it was not asked for");

        var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var (at, hasProgress) = (0L, false);
        foreach (var segment in _segments.Where(segment => !segment.IsLoaded))
        {
            var buffer = await _buffers.TakeAsync(stop).ConfigureAwait(false);
            TransientHubException? failure;
            try
            {
                failure = await SkipAsync(body, remote.Address, at, segment.From, buffer, stop).ConfigureAwait(false);
                segment.Filled = 0;
                failure ??= await ReadAsync(body, remote.Address, segment, buffer, segment.To, stop).ConfigureAwait(false);
            }
            catch
            {
                _buffers.Release(buffer);
                throw;
            }

            if (failure is not null)
            {
                _buffers.Release(buffer);
                _meter.Lose(segment.Filled);
                if (hasProgress)
                    return;
                throw failure;
            }

            (at, hasProgress) = (segment.To, true);
            await FinishAsync(segment, buffer).ConfigureAwait(false);
        }
    }

    /// <summary>Reads over what is there already.</summary>
    private async Task<TransientHubException?> SkipAsync(Stream body, Uri address, long from, long to, byte[] buffer, CancellationToken stop)
    {
        TransientHubException? failure = null;
        for (; from < to && failure is null; from += buffer.Length)
        {
            var skipped = new Segment(from, Math.Min(from + buffer.Length, to), isThere: false);
            failure = await ReadAsync(body, address, skipped, buffer, skipped.To, stop).ConfigureAwait(false);
            _meter.Lose(skipped.Filled);
        }

        return failure;
    }

    /// <summary>Reads into the buffer of a segment up to a place in the file.</summary>
    /// <returns>Why it did not get that far; null: it did.</returns>
    private async Task<TransientHubException?> ReadAsync(Stream body, Uri address, Segment segment, byte[] buffer, long to, CancellationToken stop)
    {
        using var stalled = new CancellationTokenSource(_options.StallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stalled.Token);
        var heard = 0;
        try
        {
            while (segment.From + segment.Filled < to)
            {
                var room = (int)Math.Min(to - segment.From - segment.Filled, _limit.LongestRead);
                var count = await body.ReadAsync(buffer.AsMemory(segment.Filled, room), either.Token).ConfigureAwait(false);
                if (count == 0)
                    return HubErrors.Cut(address);
                segment.Filled += count;
                heard += count;
                _meter.Receive(count);
                var pay = _limit.PayAsync(count, stop);
                if (heard < Trickle && pay.IsCompleted)
                    continue;

                // The time that our own limit takes is no silence of the server.
                heard = 0;
                stalled.CancelAfter(Timeout.InfiniteTimeSpan);
                await pay.ConfigureAwait(false);
                stalled.CancelAfter(_options.StallTimeout);
            }

            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return HubErrors.Stalled(address, _options.StallTimeout);
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            return HubErrors.Cut(address, error);
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(RemoteFile remote, long from, long? to, CancellationToken stop)
    {
        // Where the hash decides, another server may have another tag.
        remote = remote with { ServerTag = _isHashKnown ? null : Volatile.Read(ref _tag) };
        try
        {
            return await _hub.OpenAsync(remote, from, to, stop).ConfigureAwait(false);
        }
        catch (TransientHubException) when (remote.IsStored)
        {
            // The hub may name another server of the storage.
            await RenewAsync(remote, stop).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets pass what is a part of the file; else says whether it is worth another attempt.</summary>
    private async Task JudgeAsync(HttpResponseMessage response, RemoteFile remote, CancellationToken stop)
    {
        var (status, headers) = (response.StatusCode, response.Content.Headers);
        if (HubErrors.IsTransient(status))
            throw HubErrors.Busy(response, remote.Address, _time.GetUtcNow());

        if (status is HttpStatusCode.OK or HttpStatusCode.PartialContent)
        {
            if (headers.ContentEncoding.Any(encoding => encoding != "identity"))
                throw HubErrors.Invalid(remote.Address, "it sends the file in an encoding that was not asked for");

            var size = status == HttpStatusCode.OK ? headers.ContentLength : headers.ContentRange?.Length;
            var tag = response.Headers.ETag?.ToString();
            if ((size ?? _part.Size) == _part.Size && !HubErrors.IsPage(response, _download.Source) && await IsSameAsync(tag, remote, stop).ConfigureAwait(false))
                return;
        }
        else if (status == HttpStatusCode.RequestedRangeNotSatisfiable ? headers.ContentRange?.Length == _part.Size : !remote.IsStored)
        {
            if (!remote.IsStored && status != HttpStatusCode.RequestedRangeNotSatisfiable)
                throw HubErrors.Refusal(response, _download.Source, _hub.Endpoint, hadToken: false, wasRefused: false);
            throw HubErrors.Invalid(remote.Address, "it says that there is no such range of the file");
        }

        // An address that has expired, another content, or a page that somebody on the way put in its place: the hub knows.
        await RenewAsync(remote, stop).ConfigureAwait(false);
        throw status is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable
            ? HubErrors.Invalid(remote.Address, HubErrors.IsPage(response, _download.Source) ? HubErrors.Page : "it sends another content than the hub speaks of")
            : HubErrors.Expired(response, await _hub.ReadTextAsync(response, stop).ConfigureAwait(false), remote.Address);
    }

    /// <summary>Whether an answer is of the same content as those before.</summary>
    /// <exception cref="RemoteChangedException">The hub has another content by now.</exception>
    private async Task<bool> IsSameAsync(string? tag, RemoteFile remote, CancellationToken stop)
    {
        if (tag is null || _areTagsMixed || (Interlocked.CompareExchange(ref _tag, tag, null) ?? tag) == tag)
            return true;
        if (!_isHashKnown)
            return false;

        // Another content, or another server that tags the same one its own way: the hub knows whether it changed, and the hash decides.
        await RenewAsync(remote, stop).ConfigureAwait(false);
        _areTagsMixed = true;
        return true;
    }

    private async Task RenewAsync(RemoteFile stale, CancellationToken stop)
    {
        await _resolving.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            // Another connection may have done it.
            if (!ReferenceEquals(_remote.Address, stale.Address))
                return;
            var now = await _hub.ResolveAsync(_download.Source, _note, stop).ConfigureAwait(false);

            // A mirror may name the hash at one time and not at another; of what is pinned the hash decides in the end.
            var isOther = now.Sha256 is not null && stale.Sha256 is not null ? now.Sha256 != stale.Sha256 : _download.Sha256 is null && now.Tag != stale.Tag;
            if (isOther || (now.Size ?? _part.Size) != _part.Size)
                throw new RemoteChangedException(_download.Source);
            Volatile.Write(ref _remote, now);
        }
        finally
        {
            _resolving.Release();
        }
    }

    /// <summary>Hashes the whole in order, as it comes.</summary>
    private async Task<string> HashAsync(CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var isHeaderDue = ModelVerifier.HasHeader(_download.Target);
        byte[]? block = null;
        foreach (var segment in _segments)
        {
            if (!segment.IsThere && await segment.Loaded.WaitAsync(stop).ConfigureAwait(false) is { } buffer)
            {
                hash.AppendData(buffer.AsSpan(0, (int)segment.Length));
                _buffers.Release(buffer);
                Interlocked.Exchange(ref _hashed, segment.To);
                isHeaderDue = isHeaderDue && !await CheckHeaderAsync(segment.To, stop).ConfigureAwait(false);
                continue;
            }

            block ??= GC.AllocateUninitializedArray<byte>(ModelVerifier.BlockBytes);
            for (var at = segment.From; at < segment.To;)
            {
                stop.ThrowIfCancellationRequested();
                var count = _part.Read(block.AsSpan(0, (int)Math.Min(block.Length, segment.To - at)), at);
                if (count == 0)
                    throw new ComfyAuthException("FileChangedMeanwhile", $"{_part.Path} was cut by another program while it was loaded.", "Leave the file alone, then run it again.");
                hash.AppendData(block.AsSpan(0, count));
                Interlocked.Exchange(ref _hashed, at += count);
                isHeaderDue = isHeaderDue && !await CheckHeaderAsync(at, stop).ConfigureAwait(false);
            }
        }

        // Of an empty file nothing came.
        if (isHeaderDue)
            await CheckHeaderAsync(_part.Size, stop).ConfigureAwait(false);
        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
    }

    /// <summary>Checks the header of a safetensors file as soon as it is there.</summary>
    /// <param name="there">How many bytes are there from the beginning.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Whether it was there, and is right.</returns>
    private async Task<bool> CheckHeaderAsync(long there, CancellationToken stop)
    {
        if (there < LengthBytes && there < _part.Size)
            return false;

        // A length that none has says at once that it is something else.
        var length = new byte[LengthBytes];
        var count = _part.Read(length, 0);
        var header = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (count == LengthBytes && header <= LongestHeader && there < Math.Min(_part.Size, LengthBytes + (long)header))
            return false;
        var file = _part.OpenRead();
        await using var scope = file.ConfigureAwait(false);
        await SafetensorsHeader.ReadAsync(file, _part.Size, _download.Name, stop).ConfigureAwait(false);
        return true;
    }

    /// <summary>Writes down from time to time what is there.</summary>
    private async Task KeepJournalAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(_options.JournalInterval, _time);
        while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
        {
            try
            {
                await _part.SaveAsync(stop).ConfigureAwait(false);
            }
            catch (ComfyAuthException error)
            {
                // The download may end well all the same; without it the next run would load more again.
                LogNoJournal(_logger, _download.Name, error.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: the server knows no ranges; it is loaded in one stream")]
    private static partial void LogRangesIgnored(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name}: how far the download is could not be written down. {Message}")]
    private static partial void LogNoJournal(ILogger logger, string name, string message);
}
