using Microsoft.Extensions.Logging;

namespace ComfyAuth.Files;

/// <summary>Changes to the files of a stack: somebody approves each, and then all of them are made, or none.</summary>
internal static partial class ApprovedChanges
{
    /// <summary>Asks for each change and makes what is approved.</summary>
    /// <typeparam name="T">The kind of change.</typeparam>
    /// <param name="root">The root of the stack.</param>
    /// <param name="changes">The changes, in the order in which they are asked for.</param>
    /// <param name="isMoot">Whether a change is not even asked for, given those that are approved so far.</param>
    /// <param name="approve">Asked for each change; null approves all.</param>
    /// <param name="prepare">Is given what is approved; gives what puts it into the transaction, or null where nothing is to be written.</param>
    /// <param name="proof">Proves what was written; null where nothing is proven.</param>
    /// <param name="options">Who is told what was changed, and what is waited for.</param>
    /// <param name="cancellationToken">Ends the work; then nothing has changed.</param>
    /// <returns>What was approved.</returns>
    public static async Task<IReadOnlyList<T>> MakeAsync<T>(
        string root,
        IEnumerable<T> changes,
        Func<T, IReadOnlyList<T>, bool> isMoot,
        Func<T, Task<bool>>? approve,
        Func<IReadOnlyList<T>, Action<FileTransaction>?> prepare,
        IChangeProof? proof,
        FileTransactionOptions options,
        CancellationToken cancellationToken)
        where T : PlannedChange
    {
        var approved = new List<T>();
        foreach (var change in changes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!isMoot(change, approved) && (approve is null || await approve(change).ConfigureAwait(false)))
                approved.Add(change);
        }

        var write = prepare(approved);
        if (proof is not null && !await proof.AskAsync(write is not null, cancellationToken).ConfigureAwait(false))
            proof = null;
        if (write is null && proof is null)
            return approved;

        var transaction = await FileTransaction.BeginAsync(root, options, cancellationToken).ConfigureAwait(false);
        await using var scope = transaction.ConfigureAwait(false);
        write?.Invoke(transaction);
        await (proof?.CommitAsync(transaction, cancellationToken) ?? transaction.CommitAsync(cancellationToken)).ConfigureAwait(false);
        foreach (var change in write is null ? [] : approved)
            LogChange(options.Logger, change.Target, change.Action);
        return approved;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Target}: {Action}")]
    private static partial void LogChange(ILogger logger, string target, string action);
}
