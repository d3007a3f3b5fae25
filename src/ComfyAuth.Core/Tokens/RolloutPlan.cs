using ComfyAuth.Files;

namespace ComfyAuth.Tokens;

/// <summary>What changing files, bringing the change into the containers and proving it live would do. Nothing has been changed yet.</summary>
/// <typeparam name="T">What is told of the files.</typeparam>
public sealed class RolloutPlan<T>
{
    private readonly Func<Func<PlannedChange, Task<bool>>?, RolloutRun> _begin;
    private readonly Func<Func<PlannedChange, Task<bool>>?, IChangeProof, CancellationToken, Task<IReadOnlyList<T>>> _apply;

    internal RolloutPlan(
        IReadOnlyList<PlannedChange> changes,
        Func<Func<PlannedChange, Task<bool>>?, RolloutRun> begin,
        Func<Func<PlannedChange, Task<bool>>?, IChangeProof, CancellationToken, Task<IReadOnlyList<T>>> apply) =>
        (Changes, _begin, _apply) = (changes, begin, apply);

    /// <summary>The changes: those of files, then one for each container that may have to be restarted; empty where all is well and proven.</summary>
    public IReadOnlyList<PlannedChange> Changes { get; }

    /// <summary>
    /// Does it, once: changes the files, then restarts or recreates one container after the other, each only if it needs that, waits for
    /// it and proves its login. Where that fails, the files and every container that was touched go back.
    /// </summary>
    /// <param name="approve">Asked for each change before anything is done; null approves all.</param>
    /// <param name="stop">Ends the work; then everything goes back, without waiting for the containers.</param>
    /// <returns>What was done, and the proofs.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>TokenProofFailed</c>: the message says what was proven, what not, and what is as before; <c>RollbackIncomplete</c>; or what
    /// <see cref="FileTransaction"/> reports, when nothing has changed.
    /// </exception>
    public async Task<RolloutResult<T>> ApplyAsync(Func<PlannedChange, Task<bool>>? approve = null, CancellationToken stop = default)
    {
        var run = _begin(approve);
        var results = await _apply(approve, run, stop).ConfigureAwait(false);
        return new(results, run.Changes, run.Proofs);
    }
}
