using ComfyAuth.Files;

namespace ComfyAuth.Validation;

/// <summary>What mends a failed check: changes to files, each of which is asked for, made all or none.</summary>
/// <param name="Changes">The changes; none where nothing is left to mend. The target of each is the full path of a file, with <c>#VARIABLE</c> where the change is to one.</param>
/// <param name="ApplyAsync">Makes those changes that the question put to it agrees to.</param>
internal sealed record CheckFix(IReadOnlyList<PlannedChange> Changes, Func<Func<PlannedChange, Task<bool>>, CancellationToken, Task> ApplyAsync)
{
    /// <summary>Nothing to mend.</summary>
    public static CheckFix Nothing { get; } = new([], (_, _) => Task.CompletedTask);

    /// <summary>Changes to files, in one transaction.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="changes">The changes.</param>
    /// <param name="keep">Keeps what is replaced, as <see cref="FileTransactionOptions.Keep"/> says; null: it is not kept.</param>
    public static CheckFix OfFiles(string root, IReadOnlyList<PlannedFileChange> changes, Action<string, string?>? keep) => new(changes, async (approve, stop) =>
    {
        var approved = new List<PlannedFileChange>();
        foreach (var change in changes)
        {
            if (await approve(change).ConfigureAwait(false))
                approved.Add(change);
        }

        if (approved.Count == 0)
            return;
        var transaction = await FileTransaction.BeginAsync(root, new() { Keep = keep }, stop).ConfigureAwait(false);
        await using var scope = transaction.ConfigureAwait(false);
        foreach (var change in approved)
            change.Stage(transaction);
        await transaction.CommitAsync(stop).ConfigureAwait(false);
    });
}
