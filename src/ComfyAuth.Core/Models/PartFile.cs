using System.Globalization;
using ComfyAuth.Files;
using Microsoft.Win32.SafeHandles;

namespace ComfyAuth.Models;

/// <summary>
/// An unfinished download: <c>&lt;name&gt;.part</c>, as long as the whole from the beginning, and a journal that says which bytes of it are there.
/// </summary>
/// <remarks>
/// The journal says less than is there, never more: before it names a range, that range is flushed to the disk, so that what it says is
/// true after a power failure too. What came after the last journal is loaded again.
/// </remarks>
internal sealed class PartFile : IDisposable
{
    private readonly object _lock = new();
    private readonly SemaphoreSlim _saving = new(1, 1);
    private readonly ModelPlaces _places;
    private readonly SafeFileHandle _file;
    private readonly string _source;
    private readonly string? _tag;
    private readonly ByteRanges _done;
    private long _saved;

    private PartFile(ModelPlaces places, SafeFileHandle file, string source, string? tag, long size, ByteRanges done)
    {
        (_places, _file, _source, _tag, Size, _done) = (places, file, source, tag, size, done);
        _saved = done.Total;
        Resumed = done.Total;
    }

    public string Path => _places.Part;

    public long Size { get; }

    /// <summary>How many bytes an earlier run had loaded.</summary>
    public long Resumed { get; }

    /// <summary>Opens what an earlier run left, or makes a new one.</summary>
    /// <param name="places">Where.</param>
    /// <param name="source">Where the file comes from.</param>
    /// <param name="tag">What tells its content from another: its hash, where that is known, so that another mirror can go on; null: not known.</param>
    /// <param name="size">The size of the whole in bytes.</param>
    /// <param name="isPinned">Whether the hash of the whole is known for certain: it will tell if what is there is of another content.</param>
    /// <param name="note">Is told when what is there cannot be used.</param>
    /// <exception cref="ComfyAuthException"><c>DiskFull</c>, or the file cannot be opened.</exception>
    public static PartFile Open(ModelPlaces places, string source, string? tag, long size, bool isPinned, Action<string> note)
    {
        var done = new ByteRanges();
        if (Journal(places) is { } journal)
        {
            var isSame = journal.Size == size && tag is not null && (journal.Tag == tag || (isPinned && journal.Tag is null));
            if (isSame)
                Array.ForEach(journal.Done!, range => done.Add(range[0], range[1]));
            else if (journal.Done!.Length > 0)
                note(journal.Tag is null || tag is null ? "What an earlier run had loaded could not be told to be of the same content; it was loaded anew." : "The file on the hub is another one than when the download began; it was loaded anew.");
        }

        return FileErrors.On(places.Part, () =>
        {
            if (done.Total == 0)
                Discard(places);
            EnsureSpace(places, size);
            var isNew = !File.Exists(places.Part);
            var file = File.OpenHandle(
                places.Part, isNew ? FileMode.CreateNew : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous, isNew ? size : 0);
            try
            {
                if (isNew)
                    RandomAccess.SetLength(file, size);
                return new PartFile(places, file, source, tag, size, done);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        });
    }

    /// <summary>The journal beside a part; null where there is none that can be trusted, or none of this part.</summary>
    public static PartJournal? Journal(ModelPlaces places)
    {
        var journal = ModelPlaces.Read(places.Journal, ModelsJson.Default.PartJournal);
        return journal is { Version: PartJournal.CurrentVersion, Size: >= 0, Done: { } done }
            && done.All(range => range is [var from, var to] && from >= 0 && from < to && to <= journal.Size)
            && new FileInfo(places.Part) is { Exists: true } part && part.Length == journal.Size ? journal : null;
    }

    /// <summary>The hash of a part that is finished, by its journal and its time; null: it is not.</summary>
    public static string? FinishedHash(ModelPlaces places) =>
        Journal(places) is { Sha256: { Length: 64 } hash, ModifiedAt: { } modifiedAt } && File.GetLastWriteTimeUtc(places.Part) == modifiedAt ? hash : null;

    /// <summary>Writes down that a part is finished: all that is left is to give it its name.</summary>
    public static void SaveFinished(ModelPlaces places, string? source, string? tag, long size, DateTime modifiedAt, string? sha256) =>
        FileErrors.On(places.Journal, () => ModelPlaces.Write(
            places.Journal, new(PartJournal.CurrentVersion, source, tag, size, size > 0 ? [[0, size]] : [], sha256, modifiedAt), ModelsJson.Default.PartJournal, isLocked: true));

    /// <summary>Removes the part and its journal.</summary>
    public static void Discard(ModelPlaces places)
    {
        // A journal without its part says nothing; a part without its journal is not trusted.
        File.Delete(places.Journal);
        File.Delete(places.Part);
    }

    /// <summary>What is there and what is missing, in order.</summary>
    public IReadOnlyList<(long From, long To, bool IsThere)> Cut(int longestMissing) => [.. _done.Cut(Size, longestMissing)];

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, long offset, CancellationToken stop)
    {
        try
        {
            await RandomAccess.WriteAsync(_file, bytes, offset, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(_places.Part, error);
        }

        lock (_lock)
            _done.Add(offset, offset + bytes.Length);
    }

    public int Read(Span<byte> bytes, long offset)
    {
        try
        {
            return RandomAccess.Read(_file, bytes, offset);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(_places.Part, error);
        }
    }

    /// <summary>Opens it for reading.</summary>
    public FileStream OpenRead() => FileErrors.On(_places.Part, () => FileDigest.OpenRead(_places.Part));

    /// <summary>Hands all that was written to the disk.</summary>
    public void Flush() => FileErrors.On(_places.Part, () => RandomAccess.FlushToDisk(_file));

    /// <summary>Writes down what is there, unless that is written down already.</summary>
    public async Task SaveAsync(CancellationToken stop)
    {
        await _saving.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            long total;
            long[][] ranges;
            lock (_lock)
                (total, ranges) = (_done.Total, [.. _done.Ranges.Select(range => new[] { range.From, range.To })]);
            if (total == _saved)
                return;
            Flush();
            FileErrors.On(_places.Journal, () => ModelPlaces.Write(_places.Journal, new(PartJournal.CurrentVersion, _source, _tag, Size, ranges), ModelsJson.Default.PartJournal, isLocked: true));
            _saved = total;
        }
        finally
        {
            _saving.Release();
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _saving.Dispose();
    }

    /// <summary>Refuses a download for which there is no room; what the part holds already counts as room.</summary>
    private static void EnsureSpace(ModelPlaces places, long size)
    {
        var needed = size - Allocated(places.Part);
        long free;
        try
        {
            free = new DriveInfo(places.Folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A share without a letter: the first write tells.
            return;
        }

        if (free < needed)
        {
            throw new ComfyAuthException(
                "DiskFull",
                string.Create(CultureInfo.InvariantCulture, $"There is no space left to write {places.Part}: {ByteSize.Format(needed)} are needed, and {ByteSize.Format(free)} are free."),
                "Free some space on that disk (or raise the quota), then run it again.");
        }
    }

    // Where a file may have holes, its length is not what it takes.
    private static long Allocated(string path) => !File.Exists(path) ? 0 : OperatingSystem.IsLinux() ? Posix.AllocatedBytes(path) : new FileInfo(path).Length;
}
