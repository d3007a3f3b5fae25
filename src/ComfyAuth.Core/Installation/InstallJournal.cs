using System.Text.Json;
using System.Text.Json.Serialization;
using ComfyAuth.Files;

namespace ComfyAuth.Installation;

/// <summary>
/// What the installation of a stack did to the machine, in <c>.comfyauth/install.json</c>: each change is written there, and flushed to
/// the disk, before it is made. So a run that was killed can be gone on with, and one that failed be taken back. It holds no secret;
/// what files were before is kept beside it, for their owner only.
/// </summary>
internal sealed class InstallJournal
{
    private const string Name = "install.json";
    private const int MaximumSizeInBytes = 4 * 1024 * 1024;

    private readonly string _root;
    private readonly TimeProvider _clock;
    private readonly List<InstallChange> _changes;
    private readonly HashSet<InstallChange> _noted = [];
    private FileRecord? _record;
    private InstallStepName _step;

    private InstallJournal(string root, TimeProvider clock, InstallJournalDocument document)
    {
        (_root, _clock) = (root, clock);
        (Phase, Run, _changes) = (document.Phase, document.Run, [.. document.Changes]);
    }

    /// <summary>Where the last run is.</summary>
    public InstallPhase Phase { get; private set; }

    /// <summary>The number of the last run; 0 where there was none.</summary>
    public int Run { get; private set; }

    /// <summary>What was done and not undone, in the order in which it was done.</summary>
    public IReadOnlyList<InstallChange> Changes => _changes;

    /// <summary>Whether the run has changed anything.</summary>
    public bool HasChangedAnything => _changes.Exists(change => change.Run == Run);

    /// <summary>Whether a change was noted since the journal was read: what was read may be old, or written by anybody.</summary>
    /// <param name="change">The change.</param>
    public bool IsNew(InstallChange change) => _noted.Contains(change);

    /// <summary>Is told before and after each time that it is written; for tests, which kill the process there.</summary>
    internal Action? AtWrite { get; init; }

    /// <summary>The lock that an installation holds.</summary>
    /// <param name="root">The root of the stack.</param>
    public static string LockOf(string root) => Path.Combine(FileJournal.StateFolder(root), "install.lock");

    /// <summary>Whether an installation has left a journal.</summary>
    /// <param name="root">The root of the stack.</param>
    public static bool Exists(string root) => File.Exists(PathOf(root));

    /// <summary>Reads the journal of a stack; changes nothing.</summary>
    /// <param name="root">The root of the stack, as a full path.</param>
    /// <param name="clock">Gives the names of what is kept; null for the system's.</param>
    /// <param name="atWrite">See <see cref="AtWrite"/>.</param>
    /// <exception cref="ComfyAuthException"><c>InstallJournalUnreadable</c>, or what the system says of a file that cannot be read.</exception>
    public static InstallJournal Read(string root, TimeProvider? clock = null, Action? atWrite = null)
    {
        var path = PathOf(root);
        try
        {
            if (!File.Exists(path))
                return new(root, clock ?? TimeProvider.System, new(InstallJournalDocument.Current, InstallPhase.Ended, 0, [])) { AtWrite = atWrite };
            var content = FileErrors.On(path, () => new FileInfo(path) is { LinkTarget: null, Length: <= MaximumSizeInBytes } ? File.ReadAllBytes(path) : throw Unreadable(path));
            var document = JsonSerializer.Deserialize(content, InstallJson.Default.InstallJournalDocument);
            return document is { Version: InstallJournalDocument.Current, Run: >= 0 and < int.MaxValue, Changes: not null } && Enum.IsDefined(document.Phase) && document.Changes.All(change => IsSound(root, change))
                ? new(root, clock ?? TimeProvider.System, document) { AtWrite = atWrite }
                : throw Unreadable(path);
        }
        catch (JsonException error)
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>Begins a run, or goes on with one that was interrupted.</summary>
    public void Begin()
    {
        if (Phase == InstallPhase.Ended)
            Run++;
        Phase = InstallPhase.Running;
        OwnerOnlyFile.EnsureFolder(FileJournal.StateFolder(_root));
        Write();
    }

    /// <summary>Says which step the changes are of that come now.</summary>
    /// <param name="step">The step.</param>
    public void Enter(InstallStepName step)
    {
        _step = step;
        _record = null;
    }

    /// <summary>Notes a change that is about to be made.</summary>
    /// <param name="kind">What will be done.</param>
    /// <param name="target">To what; a path inside the stack may be a full one.</param>
    public void Note(InstallChangeKind kind, string target)
    {
        if (kind is InstallChangeKind.Folder or InstallChangeKind.DataFolder or InstallChangeKind.Output or InstallChangeKind.Model)
            target = Path.GetRelativePath(_root, target).Replace('\\', '/');

        // What an earlier run did and this one does again must be taken back with this one.
        if (_changes.Exists(change => change.Run == Run && change.Kind == kind && change.Target == target))
            return;
        var noted = new InstallChange(Run, _step, kind, target);
        _changes.Add(noted);
        _noted.Add(noted);
        Write();
    }

    /// <summary>Keeps what a file is before it is changed, once in each step, and notes what it becomes; for <see cref="FileTransactionOptions.Keep"/>.</summary>
    /// <param name="path">Its path, relative to the root.</param>
    /// <param name="after">The digest of what it is about to hold; null where it is removed.</param>
    public void Keep(string path, string? after)
    {
        _record ??= FileRecord.Begin(_root, _clock.GetUtcNow(), FileRecord.Installs);
        _record.Keep(path, after);
        if (!_changes.Exists(change => change.Kind == InstallChangeKind.Files && change.Target == _record.Id))
            Note(InstallChangeKind.Files, _record.Id);
    }

    /// <summary>Forgets the files that were kept and are as they were, now that a change is made.</summary>
    public void Settle()
    {
        _record?.Close();
        if (_record is { Files.Count: 0 } && _changes.RemoveAll(change => change.Kind == InstallChangeKind.Files && change.Target == _record.Id) > 0)
            Write();
        _record = null;
    }

    /// <summary>Begins to take back.</summary>
    public void BeginUndo()
    {
        Phase = InstallPhase.Undoing;
        Write();
    }

    /// <summary>Forgets a change that is undone, or was left on purpose.</summary>
    /// <param name="change">The change.</param>
    public void Forget(InstallChange change)
    {
        _changes.Remove(change);
        Write();
    }

    /// <summary>Ends the run. What is kept of files that nobody will put back is removed, and so is a journal without a change.</summary>
    public void End()
    {
        Phase = InstallPhase.Ended;
        Write();
        FileRecord.RemoveAllBut(_root, FileRecord.Installs, [.. _changes.Where(change => change.Kind == InstallChangeKind.Files).Select(change => change.Target)]);
        if (_changes.Count == 0)
            File.Delete(PathOf(_root));
    }

    private static string PathOf(string root) => Path.Combine(FileJournal.StateFolder(root), Name);

    // The journal may have been written by anybody who can write to the stack.
    private static bool IsSound(string root, InstallChange change) => change is { Run: > 0, Target.Length: > 0 }
        && Enum.IsDefined(change.Kind)
        && Enum.IsDefined(change.Step)
        && !change.Target.Contains('\0', StringComparison.Ordinal)
        && change.Kind switch
        {
            InstallChangeKind.Folder or InstallChangeKind.DataFolder or InstallChangeKind.Output => IsBelow(root, Path.GetFullPath(change.Target, root)),
            InstallChangeKind.Files => change.Target.All(letter => char.IsAsciiDigit(letter) || letter == '-'),
            _ => true,
        };

    /// <summary>Whether a path is in the stack by its name; a link in it may have come later, and is seen when the change is taken back. Neither the stack itself nor what belongs to this module is for an installation to take away.</summary>
    private static bool IsBelow(string root, string path) =>
        RealPath.Inside(root, path) is { } inside && inside.Trim('.', '/', '\\').Length > 0 && RealPath.Inside(FileJournal.StateFolder(root), path) is null;

    private static ComfyAuthException Unreadable(string path, Exception? error = null) => new(
        "InstallJournalUnreadable",
        $"The journal of the installation, '{path}', cannot be read.",
        "It tells what an installation has changed. If nothing is left to take back, remove it; what files were before is in the folder 'installs' beside it.",
        error);

    private void Write()
    {
        AtWrite?.Invoke();
        var path = PathOf(_root);
        var staged = path + ".tmp";
        FileErrors.On(path, () =>
        {
            File.Delete(staged);
            using (var stream = OwnerOnlyFile.Create(staged))
            {
                JsonSerializer.Serialize(stream, new InstallJournalDocument(InstallJournalDocument.Current, Phase, Run, _changes), InstallJson.Default.InstallJournalDocument);
                stream.Flush(flushToDisk: true);
            }

            File.Move(staged, path, overwrite: true);
            if (!OperatingSystem.IsWindows())
                Posix.FlushFolder(Path.GetDirectoryName(path)!);
        });
        AtWrite?.Invoke();
    }
}

internal sealed record InstallJournalDocument(int Version, InstallPhase Phase, int Run, IReadOnlyList<InstallChange> Changes)
{
    public const int Current = 1;
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(InstallJournalDocument))]
internal sealed partial class InstallJson : JsonSerializerContext;
