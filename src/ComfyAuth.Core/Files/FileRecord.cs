using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ComfyAuth.Files;

/// <summary>
/// What one repair, or one step of an installation, replaced, kept in <c>.comfyauth/repairs</c> or <c>.comfyauth/installs</c> for its
/// owner only: a copy of each file as it was before, and the digest of what was made of it.
/// </summary>
internal sealed class FileRecord
{
    /// <summary>The records of repairs, of which the oldest are removed by the newer ones.</summary>
    public const string Repairs = "repairs";

    /// <summary>The records of installations, which stay until they are removed.</summary>
    public const string Installs = "installs";

    private const string RecordName = "repair.json";
    private const string IdFormat = "yyyyMMdd-HHmmss";
    private const int MostKept = 10;
    private const string ClaimName = "claim";

    // A file that carries a credential is smaller, and a notebook is not much larger.
    private const long LargestFile = 256L << 20;

    private readonly string _root;
    private readonly string _area;
    private string _folder;
    private readonly Dictionary<string, RepairedFile> _files;

    private FileRecord(string root, string area, string folder, IEnumerable<RepairedFile> files)
    {
        _root = root;
        _area = area;
        _folder = folder;
        _files = files.ToDictionary(file => file.Path, StringComparer.Ordinal);
    }

    /// <summary>Its name: when it was begun, in UTC.</summary>
    public string Id => Path.GetFileName(_folder);

    /// <summary>The files, in the order of their paths.</summary>
    public IReadOnlyList<RepairedFile> Files => [.. _files.Values.OrderBy(file => file.Path, StringComparer.Ordinal)];

    /// <summary>Begins a record; nothing is written before the first file is kept.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="now">The time, which becomes its name.</param>
    /// <param name="area">Whose records it is among.</param>
    public static FileRecord Begin(string root, DateTimeOffset now, string area = Repairs)
    {
        for (var time = now.ToUniversalTime(); ; time = time.AddSeconds(1))
        {
            var folder = Path.Combine(FolderOf(root, area), time.ToString(IdFormat, CultureInfo.InvariantCulture));
            if (!Directory.Exists(folder))
                return new(root, area, folder, []);
        }
    }

    /// <summary>Finds a record.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="id">Its name; null for the last.</param>
    /// <exception cref="ComfyAuthException"><c>RepairNotFound</c>; <c>RepairUnreadable</c>.</exception>
    public static FileRecord Find(string root, string? id)
    {
        var ids = Ids(root);
        var found = id is null ? (ids is [var last, ..] ? last : null) : ids.FirstOrDefault(known => known == id);
        if (found is not null)
            return Read(root, found);
        var message = id is null ? $"Nothing was repaired in '{root}', or it was undone already." : $"There is no repair '{id}' of '{root}'.";
        throw new ComfyAuthException("RepairNotFound", message, ids.Count == 0 ? "There is nothing to undo." : $"There are: {string.Join(", ", ids)}.");
    }

    /// <summary>The names of the records, the newest first.</summary>
    public static IReadOnlyList<string> Ids(string root)
    {
        var folder = FolderOf(root);
        return !Directory.Exists(folder) ? [] :
        [
            .. Directory.EnumerateDirectories(folder)
                .Where(path => File.Exists(Path.Combine(path, RecordName)))
                .Select(path => Path.GetFileName(path))
                .OrderDescending(StringComparer.Ordinal),
        ];
    }

    /// <summary>Keeps a file as it is now, unless that was done already, and notes what it is about to become: what is not that later is somebody else's.</summary>
    /// <param name="path">Its path, relative to the root.</param>
    /// <param name="after">The digest of what it is about to hold; null where it is removed.</param>
    public void Keep(string path, string? after)
    {
        path = path.Replace('\\', '/');
        if (_files.Count == 0)
            Claim();
        try
        {
            var file = _files.TryGetValue(path, out var known) ? known : new(path, Copy(Path.Combine(_root, path)), []);
            file = file with { After = [.. file.After.Append(after ?? "").Distinct()] };
            Write([.. _files.Values.Where(other => other.Path != path), file]);
            _files[path] = file;
        }
        catch when (_files.Count == 0)
        {
            Remove();
            throw;
        }
    }

    private string? Copy(string path)
    {
        string? copy = null;
        if (File.Exists(path))
        {
            copy = _files.Count.ToString(CultureInfo.InvariantCulture);

            // What a full disk cut short.
            File.Delete(Path.Combine(_folder, copy));
            using var from = FileDigest.OpenRead(path);
            using var to = OwnerOnlyFile.Create(Path.Combine(_folder, copy));
            from.CopyTo(to);
        }

        return copy;
    }

    /// <summary>Makes the folder of the record; of two repairs that begin in the same second, the later one gets another.</summary>
    private void Claim()
    {
        foreach (var folder in new[] { FileJournal.StateFolder(_root), FolderOf(_root, _area) })
        {
            if (new FileInfo(folder).LinkTarget is not null)
                throw new ComfyAuthException("StateFolderIsNotFolder", $"{folder} is a link; what a repair replaces is kept in a folder there.", "Remove it.");
            OwnerOnlyFile.EnsureFolder(folder);
        }

        while (true)
        {
            OwnerOnlyFile.EnsureFolder(_folder);
            var claim = Path.Combine(_folder, ClaimName);
            try
            {
                OwnerOnlyFile.Create(claim).Dispose();
                return;
            }
            catch (IOException) when (File.Exists(claim))
            {
                _folder = Begin(_root, DateTimeOffset.UtcNow, _area)._folder;
            }
        }
    }

    /// <summary>Forgets the files that are as they were; then removes the oldest records.</summary>
    public void Close()
    {
        if (_files.Count == 0)
            return;

        try
        {
            foreach (var file in Files.Where(file => IsAsBefore(file, ContentOf(file))))
                _files.Remove(file.Path);

            if (_files.Count == 0)
                Remove();
            else
                Write(Files);
            if (_area != Repairs)
                return;
            foreach (var id in Ids(_root).Skip(MostKept))
                Directory.Delete(Path.Combine(FolderOf(_root), id), recursive: true);
        }
        catch (Exception error) when (error is ComfyAuthException || FileErrors.IsFileError(error))
        {
            // The files are mended, and their copies are kept: as after a repair that was killed, it can be undone.
        }
    }

    /// <summary>What a file was before; null where there was none.</summary>
    /// <exception cref="ComfyAuthException"><c>RepairUnreadable</c>.</exception>
    public byte[]? OldContent(RepairedFile file)
    {
        try
        {
            return file.Copy is null ? null : ReadOwn(_folder, file.Copy);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(_folder, error);
        }
    }

    /// <summary>What a file holds now; null where there is none.</summary>
    /// <exception cref="ComfyAuthException"><c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, or it cannot be read.</exception>
    public byte[]? ContentOf(RepairedFile file)
    {
        var path = RealPath.Of(Path.Combine(_root, file.Path));
        return FileDigest.OfFile(path) is null ? null : FileErrors.On(path, () => File.ReadAllBytes(path));
    }

    /// <summary>Whether a file is what was made of it, or what it was before: of what was interrupted, or failed, it may be either.</summary>
    /// <param name="file">The file.</param>
    /// <param name="now">What it holds; null where there is none.</param>
    public bool IsAsLeft(RepairedFile file, byte[]? now) => file.After.Contains(now is null ? "" : FileDigest.Of(now)) || IsAsBefore(file, now);

    /// <summary>Whether a file is what it was before.</summary>
    /// <inheritdoc cref="IsAsLeft"/>
    public bool IsAsBefore(RepairedFile file, byte[]? now) => OldContent(file) is { } old ? now.AsSpan().SequenceEqual(old) && now is not null : now is null;

    /// <summary>Removes the records that nobody needs any more.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="area">Whose records they are among.</param>
    /// <param name="needed">The names of those that are still needed.</param>
    public static void RemoveAllBut(string root, string area, IReadOnlyCollection<string> needed)
    {
        var folder = FolderOf(root, area);
        if (!Directory.Exists(folder) || new FileInfo(folder).LinkTarget is not null)
            return;
        foreach (var record in Directory.EnumerateDirectories(folder).Where(record => !needed.Contains(Path.GetFileName(record))).ToList())
            Directory.Delete(record, recursive: true);
        if (needed.Count == 0)
            Directory.Delete(folder);
    }

    /// <summary>Forgets the repair.</summary>
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private static string FolderOf(string root, string area = Repairs) => Path.Combine(FileJournal.StateFolder(root), area);

    /// <summary>Whether there is a record. One that is forgotten is removed before whoever names it.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="id">Its name.</param>
    /// <param name="area">Whose records it is among.</param>
    public static bool Exists(string root, string id, string area) => Directory.Exists(Path.Combine(FolderOf(root, area), id));

    /// <summary>Reads a record.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="id">Its name.</param>
    /// <param name="area">Whose records it is among.</param>
    /// <exception cref="ComfyAuthException"><c>RepairUnreadable</c>.</exception>
    public static FileRecord Read(string root, string id, string area = Repairs)
    {
        var folder = Path.Combine(FolderOf(root, area), id);
        try
        {
            var document = JsonSerializer.Deserialize(ReadOwn(folder, RecordName), RepairJson.Default.RepairDocument);
            return document is { Version: RepairDocument.Current, Files: not null } && document.Files.All(file => IsSound(root, file)) && document.Files.DistinctBy(file => file.Path).Count() == document.Files.Count
                ? new(root, area, folder, document.Files)
                : throw Unreadable(folder, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Unreadable(folder, error);
        }
    }

    // The record may have been written by anybody who can write to the stack.
    private static bool IsSound(string root, RepairedFile file) =>
        file is { Path.Length: > 0 }
        && !file.Path.Contains('\0', StringComparison.Ordinal)
        && RealPath.Inside(root, Path.GetFullPath(file.Path, root)) is not null
        && file.After?.All(digest => digest is "" or { Length: 64 }) == true
        && (file.Copy is null || (file.Copy.Length > 0 && file.Copy.All(char.IsAsciiDigit)));

    /// <summary>Reads a file of the record. A link there would put a file of somebody else's into the stack.</summary>
    private static byte[] ReadOwn(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        var isOwn = new FileInfo(path).LinkTarget is null
            && new FileInfo(folder).LinkTarget is null
            && new FileInfo(Path.GetDirectoryName(folder)!).LinkTarget is null
            && (OperatingSystem.IsWindows() || Posix.Status(path) is { IsRegularFile: true })
            && new FileInfo(path).Length <= LargestFile;
        return isOwn ? File.ReadAllBytes(path) : throw Unreadable(folder, null);
    }

    private static ComfyAuthException Unreadable(string folder, Exception? error) => new(
        "RepairUnreadable",
        $"The record of the repair in '{folder}' cannot be read{(error is null ? "" : $": {error.Message}")}",
        "Put the files back by hand: their copies are in that folder.",
        error);

    private void Write(IReadOnlyList<RepairedFile> files)
    {
        var staged = Path.Combine(_folder, RecordName + ".tmp");
        File.Delete(staged);
        using (var stream = OwnerOnlyFile.Create(staged))
            JsonSerializer.Serialize(stream, new RepairDocument(RepairDocument.Current, files), RepairJson.Default.RepairDocument);
        File.Move(staged, Path.Combine(_folder, RecordName), overwrite: true);
    }
}

/// <summary>A file that a repair changed.</summary>
/// <param name="Path">Relative to the root, with <c>/</c> between folders.</param>
/// <param name="Copy">The name of the copy of what it was; null where there was none.</param>
/// <param name="After">The digests of what was or was to be made of it, one after the other; empty text where it was removed.</param>
internal sealed record RepairedFile(string Path, string? Copy, IReadOnlyList<string> After);

internal sealed record RepairDocument(int Version, IReadOnlyList<RepairedFile> Files)
{
    public const int Current = 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RepairDocument))]
internal sealed partial class RepairJson : JsonSerializerContext;
