using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Puts back what a repair replaced. Nothing has been put back yet.</summary>
public sealed class RepairUndo
{
    private readonly FileRecord _record;
    private readonly List<(RepairedFile File, PlannedFileChange Change)> _changes;

    private RepairUndo(GenAIStack stack, FileRecord record, List<(RepairedFile File, PlannedFileChange Change)> changes)
    {
        Stack = stack;
        _record = record;
        _changes = changes;
    }

    /// <summary>The stack.</summary>
    public GenAIStack Stack { get; }

    /// <summary>The name of the repair.</summary>
    public string Id => _record.Id;

    /// <summary>What would be put back or removed, a file each.</summary>
    public IReadOnlyList<PlannedFileChange> Changes => [.. _changes.Select(change => change.Change)];

    /// <summary>The names of the repairs that can be undone, the newest first.</summary>
    /// <param name="stack">The stack.</param>
    public static IReadOnlyList<string> Ids(GenAIStack stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return FileRecord.Ids(stack.Root);
    }

    /// <summary>Plans to undo a repair.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="id">The name of the repair; null for the last.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>RepairNotFound</c>; <c>RepairUnreadable</c>; <c>RepairChangedSince</c>: a file is no longer what the repair made of it.
    /// </exception>
    public static RepairUndo Plan(GenAIStack stack, string? id = null)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var record = FileRecord.Find(stack.Root, id);
        var files = record.Files.Select(file => (File: file, Now: record.ContentOf(file))).ToList();
        var touched = files.Where(file => !record.IsAsLeft(file.File, file.Now)).Select(file => file.File.Path).ToList();
        if (touched.Count > 0)
        {
            throw new ComfyAuthException(
                "RepairChangedSince",
                $"Since the repair {record.Id} of '{stack.Root}' somebody has changed {string.Join(", ", touched)}.",
                $"Undo a later repair first, or take what you need from the copies in {Path.Combine(".comfyauth", "repairs", record.Id)}.");
        }

        // A repair that was killed may not have come to all of them.
        return new(stack, record, [.. files.Where(file => !record.IsAsBefore(file.File, file.Now)).Select(file => (file.File, ChangeOf(stack, record, file.File, file.Now)))]);
    }

    /// <summary>Puts the files back, all that are approved or none.</summary>
    /// <param name="approve">Asked before each file; null approves all.</param>
    /// <param name="stop">Gives up; then nothing has changed.</param>
    /// <returns>The full paths of the files that are as they were before the repair.</returns>
    /// <exception cref="ComfyAuthException">What <see cref="FileTransaction"/> reports; then nothing has changed.</exception>
    public async Task<IReadOnlyList<string>> ApplyAsync(Func<PlannedChange, Task<bool>>? approve = null, CancellationToken stop = default)
    {
        var undone = new List<string>();
        var fix = CheckFix.OfFiles(Stack.Root, Changes, keep: null);
        await fix.ApplyAsync(ApproveAsync, stop).ConfigureAwait(false);
        if (undone.Count == _changes.Count)
            _record.Remove();
        return undone;

        async Task<bool> ApproveAsync(PlannedChange change)
        {
            var approved = approve is null || await approve(change).ConfigureAwait(false);
            if (approved)
                undone.Add(change.Target);
            return approved;
        }
    }

    private static PlannedFileChange ChangeOf(GenAIStack stack, FileRecord record, RepairedFile file, byte[]? now) =>
        // Who may read it is not put back: a file that was made its owner's alone stays so.
        record.OldContent(file) is { } old
            ? PlannedFileChange.Write(stack.Root, file.Path, $"Put back what stood there before the repair {record.Id}", now, old, FileProtection.Keep)
            : PlannedFileChange.Delete(stack.Root, file.Path, $"Remove it: the repair {record.Id} made it", now);
}
