using System.Formats.Tar;
using System.Text.Json;

namespace ComfyAuth.Docker;

/// <content>
/// Files in containers, running or not: no program of the image is needed. For any of these the engine mounts everything of the
/// container anew, and makes a directory on its machine of each source that a short bind names and that is missing, even to
/// read (measured with Engine 20.10).
/// </content>
public sealed partial class DockerClient
{
    private const int MostLinks = 8;

    /// <summary>Reads a path of a container as a tar archive; a symbolic link is not followed.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="path">An absolute path in the container.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The archive; to be disposed, and to be read asynchronously.</returns>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is no such container or path.</exception>
    public async Task<Stream> GetArchiveAsync(string container, string path, CancellationToken stop = default) =>
        (await OpenAsync(HttpMethod.Get, ArchivePath(container, path), Reading(container, path), null, _options.RequestTimeout, stop).ConfigureAwait(false)).Body;

    /// <summary>Unpacks a tar archive into a directory of a container; owners and permissions are those of the archive.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="directory">An absolute path in the container; it must exist.</param>
    /// <param name="archive">The archive.</param>
    /// <param name="stop">Gives up; what was unpacked stays.</param>
    public Task PutArchiveAsync(string container, string directory, Stream archive, CancellationToken stop = default) =>
        CommandAsync(
            HttpMethod.Put,
            ArchivePath(container, directory) + "&noOverwriteDirNonDir=1",
            $"writing to {directory} in the container {Described(container)}",
            new StreamContent(archive) { Headers = { ContentType = new("application/x-tar") } },
            Timeout.InfiniteTimeSpan,
            stop);

    /// <summary>What a path of a container is; a symbolic link is not followed.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="path">An absolute path in the container.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What it is; null when it does not exist.</returns>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is no such container.</exception>
    public async Task<ContainerPathStat?> HeadArchiveAsync(string container, string path, CancellationToken stop = default)
    {
        try
        {
            return await WithinAsync(
                _options.RequestTimeout,
                Reading(container, path),
                async token =>
                {
                    using var response = await SendAsync(HttpMethod.Head, ArchivePath(container, path), Reading(container, path), null, HttpCompletionOption.ResponseContentRead, token).ConfigureAwait(false);
                    return Stat(response, Reading(container, path));
                },
                stop).ConfigureAwait(false);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            // An answer without a body does not say which of the two is missing.
            await InspectContainerAsync(container, stop).ConfigureAwait(false);
            return null;
        }
    }

    /// <summary>Reads a file of a container; symbolic links are followed inside the container.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="path">An absolute path in the container.</param>
    /// <param name="largest">The largest size in bytes that is read.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">
    /// <c>DockerNotFound</c>: there is no such container or path. <c>DockerPathNotFile</c>: it is a directory or a device.
    /// <c>DockerFileTooLarge</c>.
    /// </exception>
    public async Task<ContainerFile> ReadFileAsync(string container, string path, int largest = 1024 * 1024, CancellationToken stop = default)
    {
        for (var links = 0; links <= MostLinks; links++)
        {
            var what = Reading(container, path);
            var (response, body) = await OpenAsync(HttpMethod.Get, ArchivePath(container, path), what, null, _options.RequestTimeout, stop).ConfigureAwait(false);
            await using var _ = body.ConfigureAwait(false);

            // The engine has followed all links when it names the target.
            var stat = Stat(response, what);
            if (stat.LinkTarget is { Length: > 0 } target && target != path)
            {
                path = target;
                continue;
            }

            return await ReadEntryAsync(body, what, largest, stop).ConfigureAwait(false) with { ModifiedAt = stat.ModifiedAt };
        }

        throw new DockerException("DockerPathNotFile", $"{path} in the container {Described(container)} is a loop of symbolic links.", "Repair the links in the container.");
    }

    /// <summary>Writes a file into a container, running or not; it replaces a file and follows no link.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="path">An absolute path in the container; its directory must exist.</param>
    /// <param name="file">What to write, and whose it is to be.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">
    /// <c>DockerNotFound</c>: there is no such container or directory. <c>DockerRequestFailed</c>: the file system is read-only, or the
    /// path is itself a bind mount.
    /// </exception>
    public async Task WriteFileAsync(string container, string path, ContainerFile file, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        var slash = Absolute(path).LastIndexOf('/');
        var (directory, name) = (slash == 0 ? "/" : path[..slash], path[(slash + 1)..]);
        if (name is "" or "." or "..")
            throw new ArgumentException("The path names no file.", nameof(path));

        using var archive = new MemoryStream();
        var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            using var content = new MemoryStream(file.Content.ToArray(), writable: false);
            var entry = new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = file.Mode, Uid = file.UserId, Gid = file.GroupId, DataStream = content };
            await writer.WriteEntryAsync(entry, stop).ConfigureAwait(false);
        }

        archive.Position = 0;
        await PutArchiveAsync(container, directory, archive, stop).ConfigureAwait(false);
    }

    private static string Reading(string container, string path) => $"reading {path} in the container {Described(container)}";

    private string ArchivePath(string container, string path) => $"/containers/{Segment(container)}/archive?path={Uri.EscapeDataString(Absolute(path))}";

    private static string Absolute(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return path[0] == '/' ? path : throw new ArgumentException("A path in a container must be absolute.", nameof(path));
    }

    private ContainerPathStat Stat(HttpResponseMessage response, string what)
    {
        try
        {
            if (response.Headers.TryGetValues("X-Docker-Container-Path-Stat", out var values) &&
                JsonSerializer.Deserialize(Convert.FromBase64String(values.First()), DockerJson.Default.PathStatAnswer) is { } answer)
            {
                return ContainerPathStat.From(answer);
            }
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            throw DockerErrors.Protocol(Endpoint, what, "it does not say what the path is", error);
        }

        throw DockerErrors.Protocol(Endpoint, what, "it does not say what the path is");
    }

    private async Task<ContainerFile> ReadEntryAsync(EngineStream body, string what, int largest, CancellationToken stop)
    {
        try
        {
            var reader = new TarReader(body, leaveOpen: true);
            await using var _ = reader.ConfigureAwait(false);
            var entry = await reader.GetNextEntryAsync(copyData: false, stop).ConfigureAwait(false) ?? throw new InvalidDataException("its archive is empty");
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                throw new DockerException("DockerPathNotFile", $"The engine at {Endpoint} was asked for {what}, but that is no file.", "Give the path of a file; a bind mount whose source was missing becomes a directory.");
            if (entry.Length > largest)
                throw new DockerException("DockerFileTooLarge", $"The engine at {Endpoint} was asked for {what}, but that has {entry.Length} bytes, and {largest} are read at most.", "Copy it with 'docker cp'.");

            var content = new byte[(int)entry.Length];
            if (entry.DataStream is { } data)
                await data.ReadExactlyAsync(content, stop).ConfigureAwait(false);

            // Read to the end, so that the connection can be used again.
            await body.CopyToAsync(Stream.Null, stop).ConfigureAwait(false);
            return new(content, entry.Mode, entry.Uid, entry.Gid);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException or NotSupportedException)
        {
            throw DockerErrors.Protocol(Endpoint, what, "its archive cannot be read", error);
        }
    }
}
