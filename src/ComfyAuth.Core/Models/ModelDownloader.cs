using ComfyAuth.Secrets;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Models;

/// <summary>Gets files from the model hub.</summary>
public sealed class ModelDownloader : IDisposable
{
    /// <summary>Makes a downloader; nothing is asked yet.</summary>
    /// <param name="redactor">Learns the token.</param>
    /// <param name="options">How; null: as usual.</param>
    /// <param name="logger">Is told what was tried again and why.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ComfyAuthException"><c>ModelDownloadOptionsInvalid</c> or <c>HubEndpointInvalid</c>.</exception>
    public ModelDownloader(SecretRedactor redactor, ModelDownloadOptions? options = null, ILogger? logger = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(redactor);
        _ = (options, logger, time);
    }

    /// <summary>Gets one file, or finds that it is there.</summary>
    /// <param name="download">The file.</param>
    /// <param name="progress">Is told some times a second how far it is, from any thread.</param>
    /// <param name="stop">Gives up; what was loaded stays, and the next run goes on from there.</param>
    public Task<ModelDownloadResult> DownloadAsync(ModelDownload download, IProgress<ModelDownloadProgress>? progress = null, CancellationToken stop = default) => throw new NotSupportedException();

    /// <summary>Gets several files, some at the same time; one that fails spares the others.</summary>
    /// <param name="downloads">The files.</param>
    /// <param name="progress">Is told some times a second how far each is, from any thread.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What became of each, as it ends.</returns>
    public IAsyncEnumerable<ModelDownloadResult> DownloadAsync(IReadOnlyList<ModelDownload> downloads, IProgress<ModelDownloadProgress>? progress = null, CancellationToken stop = default) => throw new NotSupportedException();

    /// <summary>
    /// Takes a downloaded file back without losing it: it gets the name of an unfinished download, and the next run that wants it gives it
    /// its name again without loading a byte.
    /// </summary>
    /// <param name="path">The file; nothing happens where there is none.</param>
    /// <param name="stop">Gives up.</param>
    public static Task TakeBackAsync(string path, CancellationToken stop = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
