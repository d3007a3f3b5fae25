using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;

namespace ComfyAuth.Models;

/// <summary>
/// Gets files from the model hub: over several connections, resumable after a failure, a kill or a power failure, hashed while it is
/// written. Under its final name there is never anything but a whole file that was verified.
/// </summary>
/// <remarks>
/// While a file is loaded it is called <c>&lt;name&gt;.part</c>, with a journal <c>&lt;name&gt;.part.json</c>. What was loaded and is not the right
/// file becomes <c>&lt;name&gt;.corrupt</c>. So does a wrong file that stands under the final name, but only when the right one is there and
/// verified: until then whoever uses it keeps it, and nothing of the user's is ever deleted.
/// </remarks>
public sealed partial class ModelDownloader : IDisposable
{
    // How often a file that changes on the hub while it is loaded is begun anew.
    private const int MostRestarts = 2;

    // An answer of this size is read when a model was expected: it will say what is wrong.
    private const long LargestRefusal = 1024 * 1024;

    // Of all downloads together; the rest of a process that loads takes some 40 MB more than an idle one.
    private const int MostBufferBytes = 56 << 20;

    // Buffers that are being hashed, or wait for it, beside those that are being filled.
    private const int SpareBuffers = 2;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    private readonly ModelDownloadOptions _options;
    private readonly HubClient _hub;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _retry;
    private readonly BandwidthLimit _limit;
    private readonly BufferPool _buffers;

    /// <summary>Makes a downloader; nothing is asked yet.</summary>
    /// <param name="redactor">Learns the token.</param>
    /// <param name="options">How; null: as usual.</param>
    /// <param name="logger">Is told what was tried again and why; never an address with its signature.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ComfyAuthException"><c>ModelDownloadOptionsInvalid</c>, <c>HubEndpointInvalid</c> or <c>HubTokenInvalid</c>.</exception>
    public ModelDownloader(SecretRedactor redactor, ModelDownloadOptions? options = null, ILogger? logger = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(redactor);
        _options = options ?? new();
        _options.Validate();
        (_logger, _time) = (logger ?? NullLogger.Instance, time ?? TimeProvider.System);
        _hub = new(_options, redactor, _time);
        _limit = new(_options.BytesPerSecond, _time);
        _retry = Pipeline();
        _buffers = new(Math.Max(_options.Connections + SpareBuffers, MostBufferBytes / _options.ChunkBytes), _options.ChunkBytes);
    }

    /// <summary>Gets one file, or finds that it is there.</summary>
    /// <param name="download">The file.</param>
    /// <param name="progress">Is told some times a second how far it is, from any thread.</param>
    /// <param name="stop">Gives up; what was loaded stays, and the next run goes on from there.</param>
    /// <exception cref="ComfyAuthException">
    /// The hub: <c>HubRepositoryNotFound</c>, <c>HubRevisionNotFound</c>, <c>HubFileNotFound</c>, <c>HubFileGated</c>, <c>HubRefusedToken</c>,
    /// <c>HubRefused</c>, <c>HubBusy</c>, <c>HubFailed</c>, <c>HubUnreachable</c>, <c>HubTimedOut</c>, <c>HubAnswerInvalid</c>, <c>HubRedirectRefused</c>.
    /// The file: <c>ModelNotAsPinned</c>, <c>ModelFileInvalid</c>, <c>ModelHashMismatch</c>, <c>ModelChangedMeanwhile</c>.
    /// The disk: <c>DiskFull</c>, <c>LockTimeout</c>, <c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, <c>FileBusy</c>, <c>FileAccessDenied</c> and the like.
    /// </exception>
    public async Task<ModelDownloadResult> DownloadAsync(ModelDownload download, IProgress<ModelDownloadProgress>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(download);
        var started = _time.GetTimestamp();
        List<string> notes = [];
        var meter = new DownloadMeter(download, progress, _time);
        await using var scope = meter.ConfigureAwait(false);
        try
        {
            var places = ModelPlaces.Of(download.Target);
            var (outcome, verified) = await RunAsync(download, places, meter, Note, stop).ConfigureAwait(false);
            return new()
            {
                File = download.Name,
                Path = download.Target,
                Source = download.Source,
                Outcome = outcome,
                SizeInBytes = verified.SizeInBytes,
                Sha256 = verified.Sha256,
                BytesDownloaded = meter.Received,
                Duration = _time.GetElapsedTime(started),
                Note = notes.Count == 0 ? null : string.Join(' ', notes),
            };
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(download.Target, error);
        }
        finally
        {
            meter.Enter(ModelDownloadPhase.Done, meter.Done);
        }

        void Note(string note)
        {
            lock (notes)
            {
                if (!notes.Contains(note))
                    notes.Add(note);
            }
        }
    }

    /// <summary>Gets several files, some at the same time; one that fails spares the others.</summary>
    /// <param name="downloads">The files; one that is named twice is got once.</param>
    /// <param name="progress">Is told some times a second how far each is, from any thread.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What became of each, as it ends.</returns>
    public async IAsyncEnumerable<ModelDownloadResult> DownloadAsync(
        IReadOnlyList<ModelDownload> downloads, IProgress<ModelDownloadProgress>? progress = null, [EnumeratorCancellation] CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(downloads);
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var results = Channel.CreateUnbounded<ModelDownloadResult>();
        var work = WorkAsync(all.Token);
        try
        {
            await foreach (var result in results.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                yield return result;
        }
        finally
        {
            await all.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }

        async Task WorkAsync(CancellationToken token)
        {
            try
            {
                var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.FilesAtOnce, CancellationToken = token };
                await Parallel.ForEachAsync(downloads.Distinct(), parallel, async (download, each) => results.Writer.TryWrite(await TryDownloadAsync(download, progress, each).ConfigureAwait(false))).ConfigureAwait(false);
                results.Writer.Complete();
            }
            catch (Exception error)
            {
                results.Writer.Complete(error);
            }
        }
    }

    /// <summary>
    /// Takes a downloaded file back without losing it: it gets the name of an unfinished download, and the next run that wants it gives it
    /// its name again without loading a byte.
    /// </summary>
    /// <param name="path">The file; nothing happens where there is none.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>LockTimeout</c>, or the file cannot be renamed.</exception>
    public static async Task TakeBackAsync(string path, CancellationToken stop = default)
    {
        var places = ModelPlaces.Of(path);
        if (ModelVerifier.Look(places) is null)
            return;

        ModelPlaces.MakeFolders(places);
        using var held = await FileLock.AcquireAsync(places.Lock, TimeSpan.FromSeconds(10), null, stop).ConfigureAwait(false);
        if (ModelVerifier.Look(places) is not var (size, modifiedAt))
            return;

        // A kill between the two leaves a journal without its part, which says nothing.
        var remembered = ModelVerifier.Recall(places);
        FileErrors.On(places.Part, () => PartFile.Discard(places));
        PartFile.SaveFinished(places, remembered?.Source, remembered?.Tag, size, modifiedAt, remembered?.Sha256);
        FileErrors.On(places.File, () =>
        {
            File.Move(places.File, places.Part);
            places.FlushFolder();
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hub.Dispose();
        _buffers.Dispose();
    }

    private async Task<ModelDownloadResult> TryDownloadAsync(ModelDownload download, IProgress<ModelDownloadProgress>? progress, CancellationToken stop)
    {
        var started = _time.GetTimestamp();
        try
        {
            return await DownloadAsync(download, progress, stop).ConfigureAwait(false);
        }
        catch (ComfyAuthException error)
        {
            return new()
            {
                File = download.Name,
                Path = download.Target,
                Source = download.Source,
                Outcome = ModelDownloadOutcome.Failed,
                Duration = _time.GetElapsedTime(started),
                Error = error,
            };
        }
    }

    private async Task<(ModelDownloadOutcome Outcome, ModelVerification File)> RunAsync(
        ModelDownload download, ModelPlaces places, DownloadMeter meter, Action<string> note, CancellationToken stop)
    {
        // What is there and pinned needs neither the network nor the right to write.
        var present = await VerifyAsync(download, places, download.SizeInBytes, download.Sha256, meter, stop).ConfigureAwait(false);
        var isPinned = download.SizeInBytes is not null || download.Sha256 is not null;
        if (present.State == ModelState.Whole && isPinned)
            return (ModelDownloadOutcome.Present, present);

        meter.Enter(ModelDownloadPhase.Waiting);
        ModelPlaces.MakeFolders(places);
        using var held = await FileLock.AcquireAsync(places.Lock, _options.LockTimeout, _logger, stop).ConfigureAwait(false);

        // Another process may have loaded it while this one waited.
        var seen = ModelVerifier.Look(places);
        if (seen is not null && (present.State == ModelState.Missing || seen.Value.Size != present.SizeInBytes))
        {
            present = await VerifyAsync(download, places, download.SizeInBytes, download.Sha256, meter, stop).ConfigureAwait(false);
            if (present.State == ModelState.Whole && isPinned)
                return (ModelDownloadOutcome.Present, present);
        }

        if (download.Sha256 is { } pinned && PartFile.FinishedHash(places) == pinned)
            return (ModelDownloadOutcome.Resumed, Finish(places, present, null, null, pinned, note));

        for (var restarts = 0; ; restarts++)
        {
            meter.Enter(ModelDownloadPhase.Resolving);
            RemoteFile remote;
            try
            {
                remote = await _retry.ExecuteAsync(async token => await _hub.ResolveAsync(download.Source, note, token).ConfigureAwait(false), stop).ConfigureAwait(false);
            }
            catch (ComfyAuthException error) when (present.State == ModelState.Whole && error.Code is "HubUnreachable" or "HubTimedOut")
            {
                note($"The hub could not be asked whether it has another version: {error.Message}");
                return (ModelDownloadOutcome.Present, present);
            }

            await EnsureAsPinnedAsync(download, remote, stop).ConfigureAwait(false);
            var size = download.SizeInBytes ?? remote.Size ?? throw HubErrors.Invalid(remote.Address, "it does not say how long the file is");
            var sha256 = download.Sha256 ?? remote.Sha256;
            if (!isPinned && seen is not null)
            {
                present = await VerifyAsync(download, places, size, sha256, meter, stop).ConfigureAwait(false);
                if (present.State == ModelState.Whole && (sha256 is not null || IsOfTag(places, remote)))
                    return (ModelDownloadOutcome.Present, present);
            }

            if (PartFile.FinishedHash(places) is { } finished && (finished == sha256 || (sha256 is null && remote.Tag is not null && PartFile.Journal(places)!.Tag == remote.Tag)))
                return (ModelDownloadOutcome.Resumed, Finish(places, present, null, remote.Tag, finished, note));

            try
            {
                var resumed = await LoadAsync(download, places, remote, size, sha256, meter, note, stop).ConfigureAwait(false);
                meter.Enter(ModelDownloadPhase.Finishing, size);
                return (resumed.Bytes > 0 ? ModelDownloadOutcome.Resumed : ModelDownloadOutcome.Downloaded, Finish(places, present, download.Source.ToString(), remote.Tag, resumed.Hash, note));
            }
            catch (PartRefusedException)
            {
                note("What an earlier run had loaded was not right; the file was loaded anew.");
            }
            catch (RemoteChangedException) when (restarts < MostRestarts)
            {
                note("The file on the hub changed while it was loaded; it was loaded anew.");
            }
        }
    }

    /// <summary>Loads the file into its part, and judges it.</summary>
    /// <returns>Its hash, and how many bytes of it were there before.</returns>
    private async Task<(string Hash, long Bytes)> LoadAsync(
        ModelDownload download, ModelPlaces places, RemoteFile remote, long size, string? sha256, DownloadMeter meter, Action<string> note, CancellationToken stop)
    {
        string hash;
        long resumed;
        using (var part = PartFile.Open(places, download.Source.ToString(), sha256 ?? remote.Tag, size, download.Sha256 is not null, note))
        {
            resumed = part.Resumed;
            if (resumed > 0)
                LogResumed(_logger, download.Name, resumed, size);
            meter.Total = size;
            meter.Enter(ModelDownloadPhase.Downloading, resumed);
            using var transfer = new ModelTransfer(_hub, download, remote, part, _options, _retry, _limit, _buffers, meter, _time, _logger, note);
            try
            {
                hash = await transfer.RunAsync(stop).ConfigureAwait(false);
            }
            catch (ComfyAuthException error) when (error.Code == "ModelFileInvalid")
            {
                // None of it is of use to the next run.
                part.Dispose();
                PartFile.Discard(places);
                if (resumed > 0)
                    throw new PartRefusedException();
                throw;
            }
            catch
            {
                await TrySaveAsync(part).ConfigureAwait(false);
                throw;
            }
        }

        if (sha256 is not null && hash != sha256)
        {
            if (resumed > 0)
            {
                // What is wrong may be what an earlier run left.
                PartFile.Discard(places);
                throw new PartRefusedException();
            }

            var aside = places.SetAside(places.Part, string.Create(CultureInfo.InvariantCulture, $"{download.Source} should have the SHA-256 {sha256}, and this has {hash}."), replaces: true);
            File.Delete(places.Journal);
            throw new ComfyAuthException(
                "ModelHashMismatch",
                $"What came for {download.Source} is not the right file: its SHA-256 is {hash}, and should be {sha256}. It is kept as {aside}.",
                "Run it again; if that does not help, something on the way changes it, or the disk or the memory of this machine is faulty.");
        }

        PartFile.SaveFinished(places, download.Source.ToString(), remote.Tag, size, File.GetLastWriteTimeUtc(places.Part), hash);
        return (hash, resumed);
    }

    /// <summary>Gives a finished part its name.</summary>
    private static ModelVerification Finish(ModelPlaces places, ModelVerification present, string? source, string? tag, string hash, Action<string> note) =>
        FileErrors.On(places.File, () =>
        {
            var file = new FileInfo(places.Part);
            if (Path.Exists(places.File))
                note($"The file that was there is now {Path.GetFileName(places.SetAside(places.File, present.Reason ?? "The hub has another version.", replaces: false))}. {present.Reason ?? "The hub has another version."}");

            // Before it has its name: whoever finds it then finds it verified, even after a kill.
            var journal = PartFile.Journal(places);
            ModelVerifier.Remember(places, new(file.Length, file.LastWriteTimeUtc, hash, source ?? journal?.Source, tag ?? journal?.Tag));
            File.Move(places.Part, places.File);
            places.FlushFolder();
            File.Delete(places.Journal);
            return new ModelVerification(ModelState.Whole, file.Length, hash);
        });

    private static bool IsOfTag(ModelPlaces places, RemoteFile remote) => remote.Tag is not null && ModelVerifier.Recall(places)?.Tag == remote.Tag;

    private async Task<ModelVerification> VerifyAsync(ModelDownload download, ModelPlaces places, long? size, string? sha256, DownloadMeter meter, CancellationToken stop)
    {
        if (ModelVerifier.Look(places) is not { } file)
        {
            Absence.Ensure(places.File);
            return new(ModelState.Missing);
        }

        meter.Total = file.Size;
        meter.Enter(ModelDownloadPhase.Verifying);
        return await ModelVerifier.VerifyAsync(download.Target, size, sha256, _options.Deep, new ReadBytes(meter), stop).ConfigureAwait(false);
    }

    /// <summary>Refuses a file of the hub that is not the one that is wanted, before it is loaded.</summary>
    private async Task EnsureAsPinnedAsync(ModelDownload download, RemoteFile remote, CancellationToken stop)
    {
        var isOtherSize = download.SizeInBytes is { } size && remote.Size is { } actual && actual != size;
        if (!isOtherSize && (download.Sha256 is null || remote.Sha256 is null || remote.Sha256 == download.Sha256))
            return;

        // A page in place of a model says best by itself what it is.
        if (isOtherSize && remote.Size <= LargestRefusal && ModelVerifier.HasHeader(download.Target))
        {
            using var response = await _hub.OpenAsync(remote, 0, null, stop).ConfigureAwait(false);
            var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            await SafetensorsHeader.ReadAsync(body, response.Content.Headers.ContentLength, download.Name, stop).ConfigureAwait(false);
        }

        var (theirs, ours) = isOtherSize
            ? (string.Create(CultureInfo.InvariantCulture, $"{remote.Size:N0} bytes"), string.Create(CultureInfo.InvariantCulture, $"{download.SizeInBytes:N0}"))
            : ($"the SHA-256 {remote.Sha256}", download.Sha256);
        throw new ComfyAuthException(
            "ModelNotAsPinned",
            $"{download.Source} has {theirs} on the hub, and should have {ours}. Nothing was loaded.",
            "The hub has another version of the file: name the commit that is meant as the revision, or correct the size and the hash that are expected.");
    }

    private async Task TrySaveAsync(PartFile part)
    {
        try
        {
            await part.SaveAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (ComfyAuthException error)
        {
            // What was written down before stays true.
            LogNotSaved(_logger, part.Path, error.Message);
        }
    }

    private ResiliencePipeline Pipeline()
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = _time };
        return _options.Attempts == 1 ? builder.Build() : builder.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<TransientHubException>(),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _options.FirstDelay,
            MaxDelay = LongestDelay,
            MaxRetryAttempts = _options.Attempts - 1,
            DelayGenerator = attempt => new((attempt.Outcome.Exception as TransientHubException)?.RetryAfter),
            OnRetry = attempt =>
            {
                LogRetry(_logger, attempt.Outcome.Exception!.Message, attempt.RetryDelay.TotalSeconds);
                return default;
            },
        }).Build();
    }

    private sealed class ReadBytes(DownloadMeter meter) : IProgress<long>
    {
        public void Report(long value) => meter.Set(value);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: goes on with {Done} of {Total} bytes that an earlier run loaded")]
    private static partial void LogResumed(ILogger logger, string name, long done, long total);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Message} Trying again in {Seconds:0.0} s")]
    private static partial void LogRetry(ILogger logger, string message, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "How far {Path} is could not be written down. {Message}")]
    private static partial void LogNotSaved(ILogger logger, string path, string message);
}
