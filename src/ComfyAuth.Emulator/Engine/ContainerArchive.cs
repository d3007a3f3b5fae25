using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The files of a container, running or not, as tar archives.</summary>
internal sealed class ContainerArchive(EngineState state)
{
    // Bits of a mode in the language that the engine is written in.
    private const uint DirectoryBit = 1u << 31;
    private const uint LinkBit = 1u << 27;
    private const int LargestArchive = 64 * 1024 * 1024;

    public Task AnswerAsync(HttpContext context, EmulatedContainer container, string asked)
    {
        if (context.Request.Query["path"].ToString() is not { Length: > 0 } given)
            throw new EngineError(StatusCodes.Status400BadRequest, "bad parameter: pathcannot be empty");

        var path = "/" + given.Trim('/');
        container = container with { Files = WithMounts(container, path) };
        var entry = Entry(container, path) ?? throw new EngineError(StatusCodes.Status404NotFound, $"Could not find the file {given} in container {asked}");
        if (HttpMethods.IsPut(context.Request.Method))
            return WriteAsync(context, container, path, entry);

        context.Response.Headers["X-Docker-Container-Path-Stat"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(context.Distort(Stat(path, entry))));
        if (HttpMethods.IsHead(context.Request.Method))
            return Task.CompletedTask;

        state.Record(container, "archive-path");
        return ReadAsync(context, container, path, entry);
    }

    private static EmulatedFile? Entry(EmulatedContainer container, string path) =>
        container.Files.TryGetValue(path, out var entry) ? entry
        : path == "/" || container.Files.Keys.Any(file => file.StartsWith(path + "/", StringComparison.Ordinal)) ? EmulatedFile.Directory
        : null;

    /// <summary>What is mounted from this machine is as it is there now.</summary>
    private static Dictionary<string, EmulatedFile> WithMounts(EmulatedContainer container, string path)
    {
        var files = container.Files.ToDictionary();
        foreach (var mount in container.Mounts.Where(mount => mount.Type == "bind" && (IsWithin(mount.Destination, path) || IsWithin(path, mount.Destination))))
        {
            if (File.Exists(mount.Source))
                files[mount.Destination] = FileOf(mount.Source);
            else if (Directory.Exists(mount.Source))
                files[mount.Destination] = EmulatedFile.Directory;
            foreach (var file in Directory.Exists(mount.Source) ? Directory.EnumerateFiles(mount.Source, "*", SearchOption.AllDirectories) : [])
                files[$"{mount.Destination}/{Path.GetRelativePath(mount.Source, file).Replace('\\', '/')}"] = FileOf(file);
        }

        return files;
    }

    private static bool IsWithin(string path, string folder) => path == folder || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static EmulatedFile FileOf(string path) => new(File.ReadAllBytes(path))
    {
        ModifiedAt = File.GetLastWriteTimeUtc(path),
        Mode = OperatingSystem.IsWindows() ? (UnixFileMode)0b110_100_100 : File.GetUnixFileMode(path),
    };

    private static JsonObject Stat(string path, EmulatedFile entry) => new()
    {
        ["name"] = path == "/" ? "/" : path[(path.LastIndexOf('/') + 1)..],
        ["size"] = entry.IsDirectory ? 4096 : entry.Content.Length,
        ["mode"] = (uint)entry.Mode | (entry.IsDirectory ? DirectoryBit : 0) | (entry.LinkTarget is null ? 0 : LinkBit),
        ["mtime"] = EngineJson.Time(entry.ModifiedAt),
        ["linkTarget"] = entry.LinkTarget ?? "",
    };

    private static async Task ReadAsync(HttpContext context, EmulatedContainer container, string path, EmulatedFile entry)
    {
        using var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            var name = path == "/" ? "" : path[(path.LastIndexOf('/') + 1)..];
            var inside = path == "/" ? "/" : path + "/";
            await writer.WriteEntryAsync(TarEntryOf(entry, entry.IsDirectory ? name + "/" : name), context.RequestAborted);
            foreach (var (file, content) in container.Files.Where(file => entry.IsDirectory && file.Key.StartsWith(inside, StringComparison.Ordinal)))
                await writer.WriteEntryAsync(TarEntryOf(content, name + "/" + file[inside.Length..]), context.RequestAborted);
        }

        context.Response.ContentType = "application/x-tar";
        context.Response.ContentLength = archive.Length;
        archive.Position = 0;
        await archive.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static UstarTarEntry TarEntryOf(EmulatedFile file, string name)
    {
        var type = file.IsDirectory ? TarEntryType.Directory : file.LinkTarget is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink;
        var entry = new UstarTarEntry(type, name) { Mode = file.Mode, Uid = file.UserId, Gid = file.GroupId };
        if (file.LinkTarget is { } target)
            entry.LinkName = target;
        else if (!file.IsDirectory)
            entry.DataStream = new MemoryStream(file.Content.ToArray(), writable: false);
        return entry;
    }

    private async Task WriteAsync(HttpContext context, EmulatedContainer container, string path, EmulatedFile directory)
    {
        if (!directory.IsDirectory)
            throw new EngineError(StatusCodes.Status500InternalServerError, "extraction point is not a directory");

        using var archive = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int length; (length = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            if (archive.Length + length > LargestArchive)
                throw EngineError.NotEmulated("an archive of this size");
            archive.Write(buffer, 0, length);
        }

        archive.Position = 0;
        var files = new Dictionary<string, EmulatedFile>();
        try
        {
            await using var reader = new TarReader(archive);
            while (await reader.GetNextEntryAsync(copyData: true, context.RequestAborted) is { } entry)
            {
                var file = $"{path.TrimEnd('/')}/{entry.Name.TrimEnd('/')}";
                var content = new MemoryStream();
                if (entry.DataStream is { } data)
                    await data.CopyToAsync(content, context.RequestAborted);
                files[file] = new(content.ToArray())
                {
                    Mode = entry.Mode,
                    UserId = entry.Uid,
                    GroupId = entry.Gid,
                    IsDirectory = entry.EntryType == TarEntryType.Directory,
                    LinkTarget = entry.EntryType == TarEntryType.SymbolicLink ? entry.LinkName : null,
                };
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new EngineError(StatusCodes.Status400BadRequest, "unexpected EOF");
        }

        if (files.Keys.FirstOrDefault(file => Entry(container, file) is { IsDirectory: true } && !files[file].IsDirectory) is { } overwritten)
            throw new EngineError(StatusCodes.Status400BadRequest, $"cannot overwrite directory \"{overwritten}\" with non-directory \"/\"");
        state.Change(container.Name, now => (now with { Files = now.Files.Concat(files).GroupBy(file => file.Key).ToDictionary(file => file.Key, file => file.Last().Value) }, [("extract-to-dir", "", "")]));
    }
}
