using System.Collections.Concurrent;
using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Validation;

/// <summary>Looks for known secrets in the files of a folder, several files at a time. Links are not followed, and what is no text is passed over.</summary>
/// <param name="secrets">The secrets.</param>
internal sealed class SecretScan(KnownSecrets secrets)
{
    /// <summary>What is looked at of one file: scripts, settings, notebooks and logs are smaller, as a rule.</summary>
    internal const int MostOfOneFile = 4 << 20;

    /// <summary>How many files are looked at; a stack has some thousands.</summary>
    internal const int MostFiles = 50_000;

    private const int AtOnce = 4;

    // Enough to tell text from what is none.
    private const int Head = 4096;

    /// <summary>Folders that other programs fill: downloaded, made or packed by them, and large. Copies of .env files lie in the last two.</summary>
    private static readonly HashSet<string> SkippedFolders = new(
        ["node_modules", "models", "outputs", "output", "cache", ".cache", "__pycache__", "site-packages", ".venv", "venv", ".comfyauth", "_backups"],
        StringComparer.OrdinalIgnoreCase);

    private readonly ConcurrentBag<(string Path, int Line, string Name)> _found = [];
    private readonly ConcurrentBag<string> _gaps = [];
    private int _files;
    private int _cut;

    /// <summary>Where secrets stand, as paths relative to the folder, in order.</summary>
    public IReadOnlyList<(string Path, int Line, string Name)> Found => [.. _found.OrderBy(place => place.Path, StringComparer.Ordinal).ThenBy(place => place.Line).ThenBy(place => place.Name, StringComparer.Ordinal)];

    /// <summary>What could not be looked at, and why.</summary>
    public IReadOnlyList<string> Gaps => [.. _gaps.Order(StringComparer.Ordinal)];

    /// <summary>How many files were looked at.</summary>
    public int Files => _files;

    /// <summary>How many of them are longer than what was looked at of them.</summary>
    public int Cut => _cut;

    /// <summary>Looks.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="passedOver">The files that secrets belong in, and folders that hold none, as full paths.</param>
    /// <param name="stop">Gives up.</param>
    public async Task RunAsync(string root, IReadOnlySet<string> passedOver, CancellationToken stop)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };
        await Parallel.ForEachAsync(Find(root, passedOver, stop), options, (path, end) => LookAsync(root, path, end)).ConfigureAwait(false);
    }

    private IEnumerable<string> Find(string root, IReadOnlySet<string> passedOver, CancellationToken stop)
    {
        var folders = new Stack<DirectoryInfo>([new(root)]);
        var count = 0;
        while (folders.TryPop(out var folder))
        {
            stop.ThrowIfCancellationRequested();
            FileSystemInfo[] entries;
            try
            {
                entries = folder.GetFileSystemInfos();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _gaps.Add($"{Path.GetRelativePath(root, folder.FullName)}: {error.Message}");
                continue;
            }

            foreach (var entry in entries)
            {
                if ((entry.Attributes & FileAttributes.ReparsePoint) != 0 && entry.LinkTarget is not null)
                    continue;
                if (entry is DirectoryInfo inner)
                {
                    if (!SkippedFolders.Contains(inner.Name) && !passedOver.Contains(inner.FullName) && !(inner.Name == "objects" && folder.Name == ".git"))
                        folders.Push(inner);
                }
                else if (!passedOver.Contains(entry.FullName) && folder.Name != ".secrets")
                {
                    if (count++ == MostFiles)
                    {
                        _gaps.Add($"more than {MostFiles:N0} files: the rest was not looked at");
                        yield break;
                    }

                    yield return entry.FullName;
                }
            }
        }
    }

    private async ValueTask LookAsync(string root, string path, CancellationToken stop)
    {
        try
        {
            // To open a pipe is to wait for somebody who writes. Whatever is no file has no length.
            var length = new FileInfo(path).Length;
            if (length == 0)
                return;

            var bytes = new byte[Math.Min(length, MostOfOneFile)];
            int count;
            var file = RegularFile.OpenRead(path);
            await using (file.ConfigureAwait(false))
            {
                count = await file.ReadAtLeastAsync(bytes.AsMemory(0, Math.Min(Head, bytes.Length)), Math.Min(Head, bytes.Length), throwOnEndOfStream: false, stop).ConfigureAwait(false);
                if (EncodingOf(bytes.AsSpan(0, count)) is null)
                    return;
                count += await file.ReadAtLeastAsync(bytes.AsMemory(count), bytes.Length - count, throwOnEndOfStream: false, stop).ConfigureAwait(false);
            }

            Interlocked.Increment(ref _files);
            if (length > MostOfOneFile)
                Interlocked.Increment(ref _cut);
            var text = EncodingOf(bytes.AsSpan(0, count))!.GetString(bytes, 0, count);
            var relative = Path.GetRelativePath(root, path).Replace('\\', '/');
            foreach (var (line, name) in secrets.Find(text))
                _found.Add((relative, line, name));
        }
        catch (FileNotFoundException)
        {
            // Gone since it was listed.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _gaps.Add($"{Path.GetRelativePath(root, path)}: {error.Message}");
        }
    }

    /// <summary>How a text is written, by its beginning; null for what is no text.</summary>
    private static Encoding? EncodingOf(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith(Encoding.Unicode.Preamble) ? Encoding.Unicode
        : bytes.StartsWith(Encoding.BigEndianUnicode.Preamble) ? Encoding.BigEndianUnicode
        : bytes[..Math.Min(Head, bytes.Length)].Contains((byte)0) ? null
        : Encoding.UTF8;
}
