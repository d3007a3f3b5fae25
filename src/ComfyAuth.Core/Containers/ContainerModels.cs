using System.Globalization;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Models;

namespace ComfyAuth.Containers;

/// <summary>
/// Puts model files where no folder of this machine is mounted: into the file system of a container itself, running or not. They are
/// downloaded to this machine, sent as they are read, and deleted here when they are there.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="downloader">Gets the files.</param>
/// <remarks>
/// The engine mounts everything of a container anew to write into it, and makes a folder of each bind source that is missing, so a
/// container whose sources are not all there should not come here. What is in a container is told by its size: to hash it, all of it
/// would have to be read through the engine.
/// </remarks>
public sealed class ContainerModels(DockerClient engine, ModelDownloader downloader)
{
    /// <summary>Puts one file into a container, or finds that it is there.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="folder">The models folder in the container, an absolute path; it must exist.</param>
    /// <param name="path">The path below it, with <c>/</c>.</param>
    /// <param name="download">The file; its target is where it is kept on this machine until it is in the container.</param>
    /// <param name="progress">Is told how far the download is, then how far the sending.</param>
    /// <param name="stop">Gives up; what was downloaded stays here for the next run.</param>
    /// <returns>What became of it; the path is that in the container.</returns>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is no such container or folder; and what the engine says else.</exception>
    /// <exception cref="ComfyAuthException">As <see cref="ModelDownloader.DownloadAsync(ModelDownload, IProgress{ModelDownloadProgress}?, CancellationToken)"/>; <c>ContainerModelIncomplete</c>.</exception>
    public async Task<ModelDownloadResult> PutAsync(
        string container, string folder, string path, ModelDownload download, IProgress<ModelDownloadProgress>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(download);
        if (!HubFile.AreNames(path))
            throw new ComfyAuthException("ModelDownloadInvalid", $"'{path}' leads out of the models folder.", "Correct the kind and the name of the model in the stack file.");
        var target = $"{folder.TrimEnd('/')}/{path}";
        if (download.SizeInBytes is { } wanted && await SizeAsync(container, target, stop).ConfigureAwait(false) == wanted)
            return new() { File = download.Name, Path = target, Source = download.Source, Outcome = ModelDownloadOutcome.Present, SizeInBytes = wanted, Note = "In a container a file is told by its size alone." };

        var result = await downloader.DownloadAsync(download, progress, stop).ConfigureAwait(false);
        var file = FileErrors.On(download.Target, () => new FileStream(download.Target, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, Share = FileShare.Read, BufferSize = 0 }));
        var archive = new TarFileStream(path, file, result.SizeInBytes, DateTimeOffset.UnixEpoch + (File.GetLastWriteTimeUtc(download.Target) - DateTime.UnixEpoch), progress is null ? null : new Sent(download, result.SizeInBytes, progress));
        await using (archive.ConfigureAwait(false))
            await engine.PutArchiveAsync(container, folder, archive, stop).ConfigureAwait(false);

        var size = await SizeAsync(container, target, stop).ConfigureAwait(false);
        if (size != result.SizeInBytes)
        {
            throw new ComfyAuthException(
                "ContainerModelIncomplete",
                string.Create(CultureInfo.InvariantCulture, $"Of {target} only {size ?? 0:N0} of {result.SizeInBytes:N0} bytes are in the container {container}."),
                "Look whether the disk of the engine is full, then run it again: the file is kept here and need not be downloaded.");
        }

        FileErrors.On(download.Target, () => File.Delete(download.Target));
        ModelVerifier.Forget(ModelPlaces.Of(download.Target));
        return result with { Path = target };
    }

    private async Task<long?> SizeAsync(string container, string path, CancellationToken stop) =>
        await engine.HeadArchiveAsync(container, path, stop).ConfigureAwait(false) is { IsDirectory: false, LinkTarget: null } stat ? stat.SizeInBytes : null;

    private sealed class Sent(ModelDownload download, long size, IProgress<ModelDownloadProgress> progress) : IProgress<long>
    {
        private long _told;

        public void Report(long value)
        {
            // Often enough for a display, and not for each piece.
            if (value < size && value - _told < size / 200)
                return;
            _told = value;
            progress.Report(new(download, value < size ? ModelDownloadPhase.Finishing : ModelDownloadPhase.Done, value, size, 0, null));
        }
    }
}
