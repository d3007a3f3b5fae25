using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Files;

/// <summary>
/// Excludes every other holder of the same lock file, in this process and in others, and tells who holds it.
/// </summary>
/// <remarks>
/// Two things together make the lock. The file is held open for this process alone (flock on Unix, a share mode on
/// Windows), which the kernel releases when the process dies. Beside it lies <c>&lt;lock&gt;.json</c>, naming the
/// owner: it cannot lie inside, since nobody else may open that one. Some file systems ignore flock; there the record,
/// which only one process can create, excludes the others. Who holds the kernel's lock takes over a record whose
/// process is gone; where the kernel's lock is ignored two could do so at once, so there the record stays, and the
/// error says what to delete. The record of another host cannot be judged and stays too.
/// </remarks>
public sealed partial class FileLock : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(25);

    private readonly FileStream _file;
    private readonly string _record;

    private FileLock(FileStream file, string record)
    {
        _file = file;
        _record = record;
    }

    /// <summary>Takes the lock, waiting while another holds it.</summary>
    /// <param name="path">The lock file; is made if missing, and stays. Its folder must exist.</param>
    /// <param name="timeout">How long to wait; zero tries once.</param>
    /// <param name="logger">Is told once per owner who is waited for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ComfyAuthException"><c>LockTimeout</c>, naming the owner; or the file cannot be opened.</exception>
    public static async Task<FileLock> AcquireAsync(
        string path, TimeSpan timeout, ILogger? logger = null, CancellationToken cancellationToken = default)
    {
        logger ??= NullLogger.Instance;
        long started = Stopwatch.GetTimestamp();
        string? told = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (FileErrors.On(path, () => TryAcquire(path)) is { } taken)
                return taken;

            string owner = ReadOwner(path)?.ToString() ?? "an unknown process";
            TimeSpan left = timeout - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                throw new ComfyAuthException(
                    "LockTimeout",
                    $"{path} is held by {owner}; gave up after {timeout.TotalSeconds:0.#} s.",
                    $"Wait for that process or end it; if it no longer exists, delete {RecordOf(path)}.");
            }

            if (owner != told)
                LogWaiting(logger, timeout.TotalSeconds, path, told = owner);
            await Task.Delay(left < PollInterval ? left : PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Who holds the lock, or was killed holding it; null when nobody does or the record cannot be read.</summary>
    public static FileLockOwner? ReadOwner(string path)
    {
        try
        {
            using var record = RegularFile.OpenRead(RecordOf(path));
            return JsonSerializer.Deserialize(record, FilesJson.Default.FileLockOwner) is { Host: not null } owner ? owner : null;
        }
        catch (Exception error) when (error is JsonException || FileErrors.IsFileError(error))
        {
            return null;
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose()
    {
        if (_file.SafeFileHandle.IsClosed)
            return;

        // The record goes first: afterwards it might be the next owner's.
        try
        {
            File.Delete(_record);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            // The next one to come finds a record without an owner and takes it over.
        }

        _file.Dispose();
    }

    private static string RecordOf(string path) => path + ".json";

    private static FileLock? TryAcquire(string path)
    {
        FileStream file;
        try
        {
            file = Open(path);
        }
        catch (IOException error) when (FileErrors.IsSharingViolation(error))
        {
            return null;
        }

        bool taken = false;
        try
        {
            string record = RecordOf(path);
            if (File.Exists(record))
            {
                if (ReadOwner(path) is { IsAlive: not false } owner && owner != FileLockOwner.Current || !KernelLocks(path))
                    return null;
                File.Delete(record);
            }

            taken = TryWriteRecord(record) || KernelLocks(path);
            return taken ? new FileLock(file, record) : null;
        }
        finally
        {
            if (!taken)
                file.Dispose();
        }
    }

    // On a full disk the kernel's lock has to do: a recovery must be possible there, since it frees space.
    private static bool TryWriteRecord(string record)
    {
        try
        {
            using FileStream stream = OwnerOnlyFile.Create(record);
            JsonSerializer.Serialize(stream, FileLockOwner.Current, FilesJson.Default.FileLockOwner);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = FilePermissions.OwnerOnlyFile;
        return new FileStream(path, options);
    }

    // While it is held, a second try must fail; if it does not, this file system ignores locks.
    private static bool KernelLocks(string path)
    {
        try
        {
            Open(path).Dispose();
            return false;
        }
        catch (IOException error) when (FileErrors.IsSharingViolation(error))
        {
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting up to {Seconds} s for {Path}, held by {Owner}")]
    private static partial void LogWaiting(ILogger logger, double seconds, string path, string owner);
}
