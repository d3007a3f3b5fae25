using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ComfyAuth.Files;

/// <summary>
/// What a transaction is about to do, written before it does anything, so that whoever comes next can undo it.
/// </summary>
/// <remarks>
/// <c>journal.json</c> means: undo. It becomes <c>committed.json</c> in one rename, which is the commit point and
/// means: only the files beside the targets are left to remove. Undo may itself be interrupted and started again.
/// A journal is not trusted, since it may have come with somebody's repository: each path must lie inside the root
/// and must still lead to the target, and a target is touched only where the backup of this transaction lies beside it.
/// </remarks>
internal sealed partial class FileJournal
{
    private const int CurrentVersion = 1;
    private const int MaximumSizeInBytes = 16 * 1024 * 1024;

    private readonly string _root;
    private readonly string _id;
    private readonly Action<string> _step;

    private FileJournal(
        string root, string id, IReadOnlyList<FileReplacement> files, IReadOnlyList<string> folders, Action<string>? step)
    {
        _root = root;
        _id = id;
        _step = step ?? (_ => { });
        Files = files;
        Folders = folders;
    }

    public IReadOnlyList<FileReplacement> Files { get; }

    /// <summary>The folders to make, outermost first.</summary>
    public IReadOnlyList<string> Folders { get; }

    public static string StateFolder(string root) => Path.Combine(root, ".comfyauth");

    /// <summary>Whether an interrupted transaction, or one at work, left its journal.</summary>
    public static bool Exists(string root) => File.Exists(PendingPath(root)) || File.Exists(CommittedPath(root));

    /// <summary>Plans a transaction; nothing is written yet.</summary>
    public static FileJournal Create(
        string root,
        IReadOnlyList<(string Path, string Target, string? Old, string? New)> files,
        IReadOnlyList<string> folders,
        Action<string>? step)
    {
        string id = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)).ToLowerInvariant();
        return new(
            root, id,
            [.. files.Select((file, index) => new FileReplacement(file.Path, file.Target, file.Old, file.New, Companion(file.Target, id, index)))],
            folders, step);
    }

    /// <summary>Finishes what an interrupted transaction left, in the one direction or the other.</summary>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="ComfyAuthException"><c>JournalUnreadable</c>, <c>RecoveryConflict</c>: nothing was touched.</exception>
    public static bool Recover(string root, Action<string>? step)
    {
        // Never got as far as being a journal, so nothing followed it.
        FileErrors.On(UnfinishedPath(root), () => File.Delete(UnfinishedPath(root)));

        bool found = false;
        if (File.Exists(CommittedPath(root)))
        {
            Read(CommittedPath(root), root, step).Forget();
            found = true;
        }

        if (File.Exists(PendingPath(root)))
        {
            Read(PendingPath(root), root, step).Undo();
            found = true;
        }

        return found;
    }

    /// <summary>Declares the intent; from here on an interruption is undone.</summary>
    public void Save()
    {
        var document = new FileJournalDocument(
            CurrentVersion,
            _id,
            [.. Files.Select(file => new FileJournalDocument.Entry(Portable(file.Path), Portable(FromRoot(file.Target)), file.Old, file.New))],
            [.. Folders.Select(folder => Portable(FromRoot(folder)))]);

        FileErrors.On(PendingPath(_root), () =>
        {
            _step("journal");
            using (FileStream stream = OwnerOnlyFile.Create(UnfinishedPath(_root)))
            {
                JsonSerializer.Serialize(stream, document, FilesJson.Default.FileJournalDocument);
                stream.Flush(flushToDisk: true);
            }

            _step("journal written");
            File.Move(UnfinishedPath(_root), PendingPath(_root));
            FlushFolder(StateFolder(_root));
        });
    }

    /// <summary>The commit point.</summary>
    public void Commit() =>
        FileErrors.On(PendingPath(_root), () =>
        {
            _step("commit");
            File.Move(PendingPath(_root), CommittedPath(_root), overwrite: true);
            try
            {
                _step("commit flush");
                FlushFolder(StateFolder(_root));
            }
            catch
            {
                // What is undone now must not look committed to who comes after a kill.
                File.Move(CommittedPath(_root), PendingPath(_root));
                throw;
            }
        });

    /// <summary>After the commit: removes our files beside the targets, then the journal.</summary>
    public void Forget()
    {
        _step("forget");
        foreach (FileReplacement file in Files)
            DeleteCompanions(file);
        FlushFolders();
        _step("forget journal");
        FileErrors.On(CommittedPath(_root), () => File.Delete(CommittedPath(_root)));
    }

    /// <summary>Puts everything back; may be repeated.</summary>
    /// <exception cref="ComfyAuthException"><c>RecoveryConflict</c>: a file was changed since; nothing was touched.</exception>
    public void Undo()
    {
        List<(FileReplacement File, UndoAction Action)> actions = [.. Files.Select(file => (file, Decide(file)))];
        foreach ((FileReplacement file, UndoAction action) in actions.AsEnumerable().Reverse())
        {
            _step("undo");
            FileErrors.On(file.Target, () =>
            {
                if (action == UndoAction.Restore)
                    File.Move(file.Backup, file.Target, overwrite: true);
                else if (action == UndoAction.Remove)
                    File.Delete(file.Target);
            });
            // Also where target and backup are one inode, since renaming the one to the other does nothing then.
            _step("undo companions");
            DeleteCompanions(file);
        }

        FlushFolders();
        foreach (string folder in Folders.Reverse())
            DeleteIfEmpty(folder);

        _step("undo journal");
        FileErrors.On(PendingPath(_root), () =>
        {
            File.Delete(UnfinishedPath(_root));
            File.Delete(PendingPath(_root));
            FlushFolder(StateFolder(_root));
        });
    }

    /// <summary>Flushes the folders in which this transaction makes or changes names.</summary>
    public void FlushFolders()
    {
        IEnumerable<string> folders = Files.Select(file => file.Folder)
            .Concat(Folders.Select(folder => Path.GetDirectoryName(folder)!))
            .Distinct(RealPath.Comparer);
        foreach (string folder in folders)
        {
            if (Directory.Exists(folder))
                FileErrors.On(folder, () => FlushFolder(folder));
        }
    }

    private enum UndoAction
    {
        /// <summary>The target was not touched yet, or has already been put back.</summary>
        Leave,

        /// <summary>The backup becomes the target again.</summary>
        Restore,

        /// <summary>There was no file: the new one goes.</summary>
        Remove,
    }

    private static UndoAction Decide(FileReplacement file)
    {
        string? backup = FileDigest.OfFile(file.Backup);
        if (backup is null)
            return UndoAction.Leave;

        string? target = FileDigest.OfFile(file.Target);
        // There was no file: one that is not ours can stay, for nothing has to come back in its place.
        if (file.Old is null)
            return target is not null && target == file.New ? UndoAction.Remove : UndoAction.Leave;
        // Where the content is the same before and after, the staged file tells: the replacement uses it up.
        if (target == file.Old && (file.Old != file.New || File.Exists(file.Staged)))
            return UndoAction.Leave;
        if (target is null || target == file.New)
            return UndoAction.Restore;
        // Someone else wrote into the old file, which still has both names.
        if (target == backup)
            return UndoAction.Leave;

        throw new ComfyAuthException(
            "RecoveryConflict",
            $"{file.Target} was changed by someone else after an interrupted change to it; what it held before is in {file.Backup}.",
            $"Keep the one you want as {file.Target}, delete {file.Backup}, then run it again.");
    }

    private static void DeleteCompanions(FileReplacement file)
    {
        // The backup goes first: without it nobody asks what the staged file means.
        foreach (string path in (string[])[file.Backup, file.PartialBackup, file.Staged])
        {
            FileErrors.On(path, () =>
            {
                if (File.Exists(path))
                    File.Delete(path);
            });
        }
    }

    private static void DeleteIfEmpty(string folder)
    {
        if (!Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).Any())
            return;

        FileErrors.On(folder, () => Directory.Delete(folder));
    }

    private static void FlushFolder(string folder)
    {
        // NTFS journals names itself, and Windows cannot flush a folder.
        if (!OperatingSystem.IsWindows())
            Posix.FlushFolder(folder);
    }

    private static FileJournal Read(string path, string root, Action<string>? step)
    {
        byte[] content = FileErrors.On(path, () =>
            new FileInfo(path).Length > MaximumSizeInBytes ? throw Unreadable(path, "it is too large") : RegularFile.ReadBytes(path, MaximumSizeInBytes));

        FileJournalDocument document;
        try
        {
            document = JsonSerializer.Deserialize(content, FilesJson.Default.FileJournalDocument)
                ?? throw Unreadable(path, "it is empty");
        }
        catch (JsonException error)
        {
            throw Unreadable(path, "it is not complete JSON of the expected form", error);
        }

        if (document.Version != CurrentVersion)
            throw Unreadable(path, $"its version is {document.Version}, not {CurrentVersion}");
        if (document is not { Id: not null, Files: not null, Folders: not null } || !IdPattern().IsMatch(document.Id))
            throw Unreadable(path, "its id, files or folders are missing or malformed");

        FileReplacement[] files = [.. document.Files.Select((entry, index) => ReadEntry(entry, index))];
        string[] folders = [.. document.Folders.Select(ReadFolder)];
        return new FileJournal(root, document.Id, files, folders, step);

        FileReplacement ReadEntry(FileJournalDocument.Entry? entry, int index)
        {
            if (entry is not { Target: not null } || entry.Target.Contains('\0') || !IsHashOrNull(entry.Old) || !IsHashOrNull(entry.New))
                throw Unreadable(path, $"file {index} has no target or no proper SHA-256");

            string named = InsideRoot(entry.Path);
            string target = Path.GetFullPath(entry.Target, root);
            if (!RealPath.Comparer.Equals(RealPath.Of(named), target) || RealPath.Inside(StateFolder(root), target) is not null)
                throw Unreadable(path, $"{entry.Path} does not lead to the file it names");

            return new FileReplacement(entry.Path, target, entry.Old, entry.New, Companion(target, document.Id, index));
        }

        string ReadFolder(string folder)
        {
            string full = InsideRoot(folder);
            return RealPath.Comparer.Equals(RealPath.Of(full), full)
                ? full
                : throw Unreadable(path, $"the folder {folder} is a link");
        }

        string InsideRoot(string relative)
        {
            if (relative is { Length: > 0 } && !relative.Contains('\0') && !Path.IsPathRooted(relative))
            {
                string full = Path.GetFullPath(relative, root);
                if (RealPath.Inside(root, full) is not (null or "."))
                    return full;
            }

            throw Unreadable(path, "it names a path outside the root");
        }
    }

    private static bool IsHashOrNull(string? hash) => hash is null || HashPattern().IsMatch(hash);

    private static ComfyAuthException Unreadable(string path, string reason, Exception? cause = null) =>
        new(
            "JournalUnreadable",
            $"{path}, the journal of an interrupted change, cannot be used: {reason}. Nothing was touched.",
            "Look for files named .comfyauth-*.old beside the files of this stack (they hold earlier content), put back what you need, then delete the journal.",
            cause);

    private static string Companion(string target, string id, int index) =>
        Path.Combine(Path.GetDirectoryName(target)!, FormattableString.Invariant($".comfyauth-{id}-{index}"));

    private static string PendingPath(string root) => Path.Combine(StateFolder(root), "journal.json");

    private static string CommittedPath(string root) => Path.Combine(StateFolder(root), "committed.json");

    private static string UnfinishedPath(string root) => Path.Combine(StateFolder(root), "journal.json.tmp");

    private string FromRoot(string path) => RealPath.Inside(_root, path) ?? path;

    private static string Portable(string path) => path.Replace(Path.DirectorySeparatorChar, '/');

    [GeneratedRegex("^[0-9a-f]{16}$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();

    [GeneratedRegex("^[0-9a-f]{64}$", RegexOptions.CultureInvariant)]
    private static partial Regex HashPattern();
}
