using System.Security.AccessControl;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Files;

/// <summary>
/// Changes several files of one stack: all of them or none, whatever fails and whenever the process is killed.
/// Each single file is at every instant wholly old or wholly new.
/// </summary>
/// <remarks>
/// <para>
/// A commit (1) writes a journal of what it intends, (2) writes the new files beside their targets, (3) keeps the old
/// ones there as hard links, (4) renames the new ones into place, (5) renames the journal, which is the commit point,
/// and (6) removes the old ones. All is flushed to disk in this order. After a failure before (5) the old files are
/// renamed back; after a kill the next transaction on the root does so, or <see cref="RecoverAsync"/>.
/// </para>
/// <para>
/// A proof, where there is one, comes between (4) and (5): the new files are in place and everybody reads them, and they stay
/// only if it succeeds. Meanwhile the root is locked, however long it takes.
/// </para>
/// <para>
/// Links stay links: what they finally point at is changed, also outside the root; a dangling link gets its target.
/// Mode, owner and group of a file stay (unless protected), also those of a file marked read-only with mode 0444,
/// which is replaced; Windows refuses to replace a file with the read-only attribute, and so do we there.
/// A file with several hard links is separated from the others, and extended attributes are not carried over.
/// A container that bind-mounts a single file keeps seeing the old one until it is started anew.
/// </para>
/// <para>Errors are <see cref="ComfyAuthException"/>; unless it says otherwise, nothing was changed then.</para>
/// </remarks>
public sealed partial class FileTransaction : IAsyncDisposable
{
    private readonly string _givenRoot;
    private readonly string _root;
    private readonly FileTransactionOptions _options;
    private readonly FileLock _lock;
    private readonly List<(string Path, Action<Change> Request)> _requests = [];
    private Task _commit = Task.CompletedTask;
    private bool _isFinished;

    private FileTransaction(string givenRoot, string root, FileTransactionOptions options, FileLock fileLock)
    {
        _givenRoot = givenRoot;
        _root = root;
        _options = options;
        _lock = fileLock;
    }

    /// <summary>Takes the root's lock, undoes what a killed predecessor left half done, and begins.</summary>
    /// <param name="root">Folder of the stack; gets a folder <c>.comfyauth</c> for lock and journal.</param>
    /// <param name="options">How to wait for another transaction.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>RootMissing</c>, <c>LockTimeout</c>, <c>JournalUnreadable</c>, <c>RecoveryConflict</c>, or a file cannot be written.
    /// </exception>
    public static async Task<FileTransaction> BeginAsync(
        string root, FileTransactionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        string realRoot = RealRoot(root);
        FileLock fileLock = await LockAsync(realRoot, options, cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(() => Recover(realRoot, options), cancellationToken).ConfigureAwait(false);
            return new FileTransaction(Path.GetFullPath(root), realRoot, options, fileLock);
        }
        catch
        {
            fileLock.Dispose();
            throw;
        }
    }

    /// <summary>Undoes what a killed transaction left half done; waits for a living one.</summary>
    /// <returns>Whether there was anything to undo or to clean up.</returns>
    /// <inheritdoc cref="BeginAsync"/>
    public static async Task<bool> RecoverAsync(
        string root, FileTransactionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        string realRoot = RealRoot(root);
        if (!Directory.Exists(FileJournal.StateFolder(realRoot)))
            return false;

        using FileLock fileLock = await LockAsync(realRoot, options, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Recover(realRoot, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether a transaction was interrupted on this root, so that its files may be half old and half new until the
    /// next one starts. Writes nothing and waits for nobody. A transaction that is at work right now does not count;
    /// one of another host, which cannot be asked, does.
    /// </summary>
    public static bool IsRecoveryPending(string root)
    {
        string realRoot = RealRoot(root);
        return FileJournal.Exists(realRoot)
            && FileLock.ReadOwner(LockPath(realRoot)) is not { IsAlive: true }
            // It may have finished between the two looks.
            && FileJournal.Exists(realRoot);
    }

    /// <summary>Replaces or makes a file, with the folders it needs inside the root. The last request for a file wins.</summary>
    /// <param name="path">Relative to the root, or absolute inside it.</param>
    /// <param name="content">All of the new content; a copy is kept until the commit.</param>
    /// <param name="protection">Who may read it afterwards.</param>
    /// <exception cref="ComfyAuthException"><c>PathOutsideRoot</c>.</exception>
    public void Write(string path, ReadOnlyMemory<byte> content, FileProtection protection)
    {
        byte[] copy = content.ToArray();
        Add(path, change =>
        {
            change.Action = ChangeAction.Write;
            change.Content = copy;
            change.Protection = protection;
        });
    }

    /// <summary>Makes a file owner-only, whatever else this transaction does to it; its content stays.</summary>
    /// <param name="path">Relative to the root, or absolute inside it.</param>
    /// <exception cref="ComfyAuthException"><c>PathOutsideRoot</c>; at the commit <c>FileMissing</c>.</exception>
    public void Protect(string path) => Add(path, change => change.IsProtected = true);

    /// <summary>Deletes a file, if there is one. Of a link the file it points at is deleted; the link stays.</summary>
    /// <param name="path">Relative to the root, or absolute inside it.</param>
    /// <exception cref="ComfyAuthException"><c>PathOutsideRoot</c>.</exception>
    public void Delete(string path) => Add(path, change => change.Action = ChangeAction.Delete);

    /// <summary>
    /// Makes the commit fail with <c>FileChangedMeanwhile</c> unless the file still holds what the plan was made on,
    /// so that an edit by someone else is not lost.
    /// </summary>
    /// <param name="path">Relative to the root, or absolute inside it.</param>
    /// <param name="content">What the file held when it was read; null when it did not exist.</param>
    /// <exception cref="ComfyAuthException"><c>PathOutsideRoot</c>.</exception>
    public void Expect(string path, byte[]? content)
    {
        // An array, since a null one would turn into memory that is empty but not null.
        string? expected = content is null ? null : FileDigest.Of(content);
        Add(path, change =>
        {
            if (change.Old != expected)
                throw ChangedMeanwhile(change.Target);
        });
    }

    /// <summary>Makes all changes, or none. Files that already are as wanted are not touched.</summary>
    /// <param name="cancellationToken">Until the commit point everything is undone; later it has no effect.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>FileChangedMeanwhile</c>, <c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, <c>LinkLoop</c>, <c>FileMissing</c>,
    /// <c>FolderMissing</c>, <c>OwnerCannotBeKept</c>, <c>DiskFull</c>, <c>ReadOnlyFileSystem</c>, <c>FileBusy</c>,
    /// <c>FileAccessDenied</c>, <c>FileOperationFailed</c>; <c>RollbackIncomplete</c> when undoing failed as well.
    /// </exception>
    public Task CommitAsync(CancellationToken cancellationToken = default) => CommitAsync(null, cancellationToken);

    /// <summary>Makes all changes, proves that they are good, and keeps them only then.</summary>
    /// <param name="prove">
    /// Runs while the new files are in place; sets its own deadline. When it throws, the old files are put back as they were, with
    /// their permissions and times, and its error comes out of here. It runs too where no file has to be changed. Null: nothing to prove.
    /// </param>
    /// <param name="cancellationToken">Passed on to the proof. Until that has succeeded everything is undone; later it has no effect.</param>
    /// <exception cref="ComfyAuthException">As without a proof.</exception>
    public Task CommitAsync(Func<CancellationToken, Task>? prove, CancellationToken cancellationToken = default)
    {
        if (_isFinished)
            throw new InvalidOperationException("The transaction has already been committed, rolled back or disposed.");

        _isFinished = true;
        return _commit = Task.Run(() => CommitChangesAsync(prove, cancellationToken), cancellationToken);
    }

    /// <summary>Releases the lock, once a commit at work has ended. What was not committed has changed nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        _isFinished = true;
        // How it ended is told to who called CommitAsync.
        await _commit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _lock.Dispose();
    }

    private enum ChangeAction
    {
        None,
        Write,
        Delete,
    }

    private async Task CommitChangesAsync(Func<CancellationToken, Task>? prove, CancellationToken cancellationToken)
    {
        List<Change> changes = Plan();
        if (changes.Count == 0)
        {
            if (prove is not null)
                await prove(cancellationToken).ConfigureAwait(false);
            return;
        }

        // Under the lock: what is kept is what is replaced, unless an editor changes it now, and then nothing is.
        foreach (var change in _options.Keep is null ? [] : changes.Where(change => change.New != change.Old))
            FileErrors.On(change.Target, () => _options.Keep!(change.Path, change.New));

        var journal = FileJournal.Create(
            _root,
            [.. changes.Select(change => (change.Path, change.Target, change.Old, change.New))],
            MissingFolders(changes),
            _options.BeforeStep);
        try
        {
            Apply(journal, changes, cancellationToken);
            if (prove is not null)
                await prove(cancellationToken).ConfigureAwait(false);
            journal.Commit();
        }
        catch (Exception error)
        {
            try
            {
                journal.Undo();
            }
            catch (Exception undoError)
            {
                throw new ComfyAuthException(
                    "RollbackIncomplete",
                    $"{error.Message} Putting the old files back failed as well: {undoError.Message}",
                    $"{(undoError is ComfyAuthException { Code: "RecoveryConflict" } conflict ? conflict.Remedy : "Remove the cause.")} The next run puts the old files back before it does anything else.",
                    new AggregateException(error, undoError));
            }

            throw;
        }

        try
        {
            journal.Forget();
        }
        catch (Exception error) when (error is ComfyAuthException || FileErrors.IsFileError(error))
        {
            LogLeftForLater(_options.Logger, error.Message);
        }
    }

    // What each file is and shall be, one entry per file however many names it was given.
    private List<Change> Plan()
    {
        var changes = new Dictionary<string, Change>(RealPath.Comparer);
        foreach ((string path, Action<Change> request) in _requests)
        {
            string target = RealPath.Of(Path.Combine(_root, path));
            if (RealPath.Inside(FileJournal.StateFolder(_root), target) is not null)
                throw OutsideRoot(path);
            if (!changes.TryGetValue(target, out Change? change))
                changes.Add(target, change = new Change(path, target));
            request(change);
        }

        return [.. changes.Values.Where(change => change.Settle())];
    }

    private List<string> MissingFolders(IEnumerable<Change> changes)
    {
        var missing = new List<string>();
        foreach (Change change in changes)
        {
            var above = new Stack<string>();
            string folder = Path.GetDirectoryName(change.Target)!;
            for (; !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!)
            {
                if (File.Exists(folder) || RealPath.Inside(_root, folder) is null)
                {
                    throw new ComfyAuthException(
                        "FolderMissing",
                        $"{change.Target} cannot be made: {folder} is {(File.Exists(folder) ? "a file" : "missing and outside the root")}.",
                        $"Make the folder {Path.GetDirectoryName(change.Target)}, or change the link that leads there.");
                }

                above.Push(folder);
            }

            missing.AddRange(above.Where(path => !missing.Contains(path, RealPath.Comparer)));
        }

        return missing;
    }

    private void Apply(FileJournal journal, List<Change> changes, CancellationToken cancellationToken)
    {
        Step("save");
        journal.Save();

        foreach (string folder in journal.Folders)
        {
            Step("folder");
            FileErrors.On(folder, () => Directory.CreateDirectory(folder));
        }

        List<(FileReplacement File, Change Change)> pairs = [.. journal.Files.Zip(changes)];
        foreach ((FileReplacement file, Change change) in pairs)
        {
            Step("backup");
            FileErrors.On(file.Target, () => BackUp(file));
            Step("stage");
            if (file.New is not null)
                FileErrors.On(file.Target, () => Stage(file, change));
        }

        journal.FlushFolders();
        foreach (FileReplacement file in journal.Files)
        {
            Step("replace");
            if (FileDigest.OfFile(file.Target) != file.Old)
                throw ChangedMeanwhile(file.Target);
            FileErrors.On(file.Target, () => Replace(file));
        }

        journal.FlushFolders();
        Step("verify");
        // An editor that wrote into the old file between the look above and the rename wrote into the backup.
        foreach (FileReplacement file in journal.Files)
        {
            if (file.Old is not null && FileDigest.OfFile(file.Backup) != file.Old)
                throw ChangedMeanwhile(file.Target);
        }

        cancellationToken.ThrowIfCancellationRequested();

        void Step(string name)
        {
            _options.BeforeStep?.Invoke(name);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void BackUp(FileReplacement file)
    {
        if (file.Old is null)
        {
            // An ordinary empty file, so that it also shows what mode a new file gets here.
            new FileStream(file.Backup, FileMode.CreateNew).Dispose();
            return;
        }

        if (!_options.WithoutHardLinks && HardLink.TryCreate(file.Target, file.Backup))
            return;

        // Only a complete copy may bear the name of a backup.
        using (FileStream source = FileDigest.OpenRead(file.Target))
            WriteNew(file.PartialBackup, source, like: file.Target, isOwnerOnly: false);
        File.Move(file.PartialBackup, file.Backup);
    }

    private static void Stage(FileReplacement file, Change change)
    {
        using Stream source = change.Action == ChangeAction.Write
            ? new MemoryStream(change.Content, writable: false)
            : FileDigest.OpenRead(file.Target);
        string written = WriteNew(file.Staged, source, like: file.Backup, change.IsOwnerOnly);
        if (written != file.New)
            throw ChangedMeanwhile(file.Target);
    }

    // Writes a file that is nobody else's until it is complete, then gives it the owner and mode of another one.
    private static string WriteNew(string path, Stream source, string like, bool isOwnerOnly)
    {
        using FileStream stream = OwnerOnlyFile.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Math.Clamp(source.Length, 1, 81920)];
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            stream.Write(buffer, 0, read);
            hash.AppendData(buffer, 0, read);
        }

        CryptographicOperations.ZeroMemory(buffer);
        if (OperatingSystem.IsWindows())
        {
            if (!isOwnerOnly)
            {
                stream.Flush();
                var access = new FileSecurity(like, AccessControlSections.Access);
                access.SetAccessRuleProtection(access.AreAccessRulesProtected, preserveInheritance: true);
                stream.SetAccessControl(access);
            }
        }
        else
        {
            GiveOwner(stream, path, like);
            UnixFileMode mode = File.GetUnixFileMode(like);
            // By handle, not by path: the name might have been given to another file.
            File.SetUnixFileMode(
                stream.SafeFileHandle,
                isOwnerOnly && !FilePermissions.IsOwnerOnly(mode) ? FilePermissions.OwnerOnlyFile : mode);
        }

        stream.Flush(flushToDisk: true);
        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
    }

    private static void GiveOwner(FileStream stream, string path, string like)
    {
        if (OperatingSystem.IsWindows() || Posix.Status(like) is not { } wanted || Posix.Status(path) is not { } actual)
            return;
        if ((wanted.User, wanted.Group) == (actual.User, actual.Group))
            return;

        try
        {
            Posix.ChangeOwner(stream.SafeFileHandle, wanted.User, wanted.Group);
        }
        catch (IOException error)
        {
            throw new ComfyAuthException(
                "OwnerCannotBeKept",
                $"A file in {Path.GetDirectoryName(path)} belongs to user {wanted.User}, group {wanted.Group}; its replacement cannot be given to them.",
                "Run as that user or as root, or change the file's owner (chown).",
                error);
        }
    }

    private void Replace(FileReplacement file)
    {
        if (file.New is null)
        {
            File.Delete(file.Target);
        }
        else if (file.Old is not null)
        {
            File.Move(file.Staged, file.Target, overwrite: true);
        }
        else if (OperatingSystem.IsWindows())
        {
            File.Move(file.Staged, file.Target);
        }
        else if (_options.WithoutHardLinks || !HardLink.TryCreate(file.Staged, file.Target))
        {
            // Unlike a link, a rename would replace a file made since the look a moment ago; there is no other way here.
            // File.Move without overwriting is none: it copies where it cannot link, and can be killed half-way.
            File.Move(file.Staged, file.Target, overwrite: true);
        }
    }

    private static bool Recover(string root, FileTransactionOptions options)
    {
        bool found = FileJournal.Recover(root, options.BeforeStep);
        if (found)
            LogRecovered(options.Logger, root);
        return found;
    }

    private static async Task<FileLock> LockAsync(string root, FileTransactionOptions options, CancellationToken cancellationToken)
    {
        string folder = FileJournal.StateFolder(root);
        FileErrors.On(folder, () =>
        {
            if (new FileInfo(folder).LinkTarget is not null || File.Exists(folder))
            {
                throw new ComfyAuthException(
                    "StateFolderIsNotFolder", $"{folder} is a link or a file; lock and journal need a folder there.", "Remove it.");
            }

            OwnerOnlyFile.EnsureFolder(folder);
        });
        FileLock fileLock = await FileLock.AcquireAsync(LockPath(root), options.LockTimeout, options.Logger, cancellationToken).ConfigureAwait(false);
        try
        {
            EnsureGitIgnore(Path.Combine(folder, ".gitignore"));
            return fileLock;
        }
        catch
        {
            fileLock.Dispose();
            throw;
        }
    }

    // A journal of this machine must never get into somebody's repository.
    private static void EnsureGitIgnore(string path)
    {
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: > 0 })
                File.WriteAllText(path, "*\n");
        }
        catch (IOException)
        {
            // The disk may be full, and what comes next may be the recovery that frees it.
        }
    }

    private static string LockPath(string root) => Path.Combine(FileJournal.StateFolder(root), "lock");

    private static string RealRoot(string root)
    {
        string real = RealPath.Of(root);
        return Directory.Exists(real)
            ? real
            : throw new ComfyAuthException("RootMissing", $"There is no folder {root}.", "Give the root folder of the stack.");
    }

    private void Add(string path, Action<Change> request)
    {
        if (_isFinished)
            throw new InvalidOperationException("The transaction has already been committed, rolled back or disposed.");

        string full = Path.GetFullPath(path, _givenRoot);
        string inside = RealPath.Inside(_givenRoot, full) ?? RealPath.Inside(_root, full) ?? throw OutsideRoot(path);
        _requests.Add((inside, request));
    }

    private ComfyAuthException OutsideRoot(string path) =>
        new(
            "PathOutsideRoot",
            $"{path} does not lie inside {_root}, or lies in its .comfyauth folder.",
            "Name files of the stack; outside the root they are reached through a link only.");

    private static ComfyAuthException ChangedMeanwhile(string path) =>
        new("FileChangedMeanwhile", $"{path} was changed by someone else meanwhile.", "Look at that change, then run it again.");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Finished what an interrupted change left in {Root}")]
    private static partial void LogRecovered(ILogger logger, string root);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The change is made; the old files are removed by the next run: {Reason}")]
    private static partial void LogLeftForLater(ILogger logger, string reason);

    private sealed class Change
    {
        public Change(string path, string target)
        {
            Path = path;
            Target = target;
            Old = FileDigest.OfFile(target);
        }

        public string Path { get; }

        public string Target { get; }

        public string? Old { get; }

        public string? New { get; private set; }

        public ChangeAction Action { get; set; }

        public byte[] Content { get; set; } = [];

        public FileProtection Protection { get; set; }

        public bool IsProtected { get; set; }

        public bool IsOwnerOnly => IsProtected || Protection == FileProtection.OwnerOnly;

        /// <summary>Whether anything has to be done, now that all requests are known.</summary>
        public bool Settle()
        {
            if (Action == ChangeAction.Delete)
                return Old is not null;

            if (Action == ChangeAction.None && IsProtected && Old is null)
                throw new ComfyAuthException("FileMissing", $"There is no file {Target} to protect.", "Check the path.");

            New = Action == ChangeAction.Write ? FileDigest.Of(Content) : Old;
            return New != Old || (Old is not null && IsOwnerOnly && !FilePermissions.IsOwnerOnly(Target));
        }
    }
}
