using ComfyAuth.Comfy;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>One rollout at work: asks, proves, and goes back where the proof fails.</summary>
internal sealed class RolloutRun(Rollout rollout, GenAIStack stack, IReadOnlyList<RolloutContainer> containers, bool anyFiles, Func<PlannedChange, Task<bool>>? approve) : IChangeProof
{
    // Beyond the grace period of the container; compose commands have taken half a minute on a busy machine.
    private static readonly TimeSpan TimeToGoBack = TimeSpan.FromMinutes(3);

    private readonly List<RolloutContainer> _approved = [];
    private readonly List<RolloutContainer> _touched = [];
    private bool _writes;
    private bool _hasBegun;

    public List<ContainerChange> Changes { get; } = [];

    public List<LoginProof> Proofs { get; } = [];

    public async Task<bool> AskAsync(bool writes, CancellationToken cancellationToken)
    {
        _writes = writes;
        foreach (var container in containers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!container.IsRunning)
                Leave(container, ContainerChangeAction.None, container.State is null ? "there is no such container" : $"it is {container.State.ToString()!.ToLowerInvariant()} and was left so", "It reads the files when it is recreated: Restart-GenAIContainer.");
            else if (container.Planned is null)
                Keep(container, container.Proofs);
            else if (anyFiles && !writes)
                Leave(container, ContainerChangeAction.None, "the changes of the files were declined", "Run it again and agree to them.");
            else if (approve is null || await approve(container.Planned).ConfigureAwait(false))
                _approved.Add(container);
            else
                Leave(container, ContainerChangeAction.Declined, "its restart was declined", "Restart it with Restart-GenAIContainer, then run it again.");
        }

        return _approved.Count > 0;
    }

    public async Task CommitAsync(FileTransaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            await transaction.CommitAsync(ProveAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (ComfyAuthException error) when (_hasBegun && error.Code == "RollbackIncomplete")
        {
            // A container that is restarted now would read files of which nobody knows what they say.
            var kept = _touched.Count == 0 ? "No container was touched." : $"What it was given before, the container {Names(_touched)} keeps.";
            throw new ComfyAuthException(error.Code, $"{error.Message} {kept}", error.Remedy, error);
        }
        catch (Exception error) when (_hasBegun)
        {
            var isCancelled = error is OperationCanceledException && cancellationToken.IsCancellationRequested;
            var (isBack, told) = await GoBackAsync(isCancelled, cancellationToken).ConfigureAwait(false);
            if (isCancelled && isBack)
                throw new OperationCanceledException($"The proof was cancelled. {told}", error, cancellationToken);

            // A fault of ours comes out as it is, unless that would hide what is not as before.
            if (isBack && error is not (ComfyAuthException or OperationCanceledException))
                throw;

            var (what, remedy) = error switch
            {
                ComfyAuthException known => (known.Message, known.Remedy),
                OperationCanceledException => ("The proof was cancelled.", ""),
                _ => (rollout.Describe(error), ""),
            };
            throw new ComfyAuthException("TokenProofFailed", $"{what} {told}", isBack ? remedy : $"{remedy} Look at the container with Get-GenAIContainer.".TrimStart(), error);
        }
    }

    private static string Names(IEnumerable<RolloutContainer> containers) => string.Join(", ", containers.Select(container => $"'{container.Name}'"));

    private async Task ProveAsync(CancellationToken stop)
    {
        _hasBegun = true;
        foreach (var container in _approved)
            await ProveAsync(container, stop).ConfigureAwait(false);
    }

    private async Task ProveAsync(RolloutContainer container, CancellationToken stop)
    {
        var plan = await rollout.Lifecycle.PlanRestartAsync(stack, container.Service, rollout.GracePeriod, stop).ConfigureAwait(false);
        if (!container.Targets.Any(target => target.IsNew || target.NeedsRecreation(plan)))
        {
            var (proofs, refusal) = await ExamineAsync(container, stop).ConfigureAwait(false);
            if (refusal is null)
            {
                Keep(container, proofs);
                return;
            }
        }

        _touched.Add(container);
        rollout.Progress?.Report($"{container.Name}: {plan.Change!.Action}");
        var change = await rollout.Lifecycle.ApplyAsync(plan, null, Listener, isHeld: true, stop).ConfigureAwait(false);
        var (proven, failure) = await ExamineAsync(container, stop).ConfigureAwait(false);
        if (failure is not null)
            throw failure;
        Changes.Add(change);
        Proofs.AddRange(proven);
    }

    /// <summary>Waits until a container is ready, and proves its logins.</summary>
    /// <returns>The proofs, and the first that fails as an error.</returns>
    private async Task<(List<LoginProof> Proofs, ComfyAuthException? Failure)> ExamineAsync(RolloutContainer container, CancellationToken stop)
    {
        var proofs = new List<LoginProof>();
        ComfyAuthException? failure = null;
        var wait = await rollout.WaitAsync(stack, container, isNew: true, null, stop).ConfigureAwait(false);

        // What refuses our token answers: what it takes and what not is worth knowing.
        if (wait is not null && (wait.Diagnosis.Condition != ContainerCondition.TokenRefused || container.Targets.All(target => target.Expected is null)))
            return (proofs, Unproven(container.Service, wait.Message, wait.Remedy));

        foreach (var target in container.Targets.Where(target => target.Expected is not null))
        {
            rollout.Progress?.Report($"Asking the login of '{target.Service.Name}'");
            var proof = await rollout.ProveAsync(stack, target, stop).ConfigureAwait(false);
            proofs.Add(proof);
            if (proof.IsProven != true)
                failure ??= Unproven(target.Service, $"{proof.Address}: {string.Join("; ", proof.Evidence)}.", proof.Remedy);
        }

        return (proofs, failure);
    }

    private static ComfyAuthException Unproven(ServiceDefinition service, string why, string remedy) =>
        new("TokenProofFailed", $"The login of '{service.Name}' was not proven live. {why}", remedy);

    /// <summary>The files are as before; the containers become so.</summary>
    private async Task<(bool IsBack, string Told)> GoBackAsync(bool isCancelled, CancellationToken stop)
    {
        if (!_writes)
            return (true, _touched.Count == 0 ? "Nothing was changed." : $"No file was changed; the container {Names(_touched)} was restarted with the files as they are.");

        var told = new List<string> { "The files are as before." };
        var isBack = true;
        foreach (var container in _touched.AsEnumerable().Reverse())
        {
            try
            {
                var back = await GoBackAsync(container, isCancelled, stop).ConfigureAwait(false);
                isBack &= back.IsBack;
                told.Add(back.Told);
            }
            catch (Exception error)
            {
                // Also after a fault of ours the others go back, and what is not undone is told.
                isBack = false;
                var why = error switch
                {
                    ComfyAuthException => error.Message,
                    OperationCanceledException => "it took too long.",
                    _ => rollout.Describe(error),
                };
                told.Add($"The container '{container.Name}' could not be given them back: {why}");
            }
        }

        return (isBack, string.Join(' ', told));
    }

    private async Task<(bool IsBack, string Told)> GoBackAsync(RolloutContainer container, bool isCancelled, CancellationToken stop)
    {
        rollout.Progress?.Report($"{container.Name}: going back to the old files");
        ContainerChange change;
        using (var deadline = new CancellationTokenSource(TimeToGoBack + (rollout.GracePeriod ?? TimeSpan.Zero)))
        {
            var plan = await rollout.Lifecycle.PlanRestartAsync(stack, container.Service, rollout.GracePeriod, deadline.Token).ConfigureAwait(false);
            change = await rollout.Lifecycle.ApplyAsync(plan, null, Listener, isHeld: true, deadline.Token).ConfigureAwait(false);
        }

        var told = $"The container '{container.Name}' was {change.Action.ToString().ToLowerInvariant()} with them";
        if (change.Action == ContainerChangeAction.Recreated && container.DriftBefore.Count > 0)
            told += $" (before, it differed from its compose file in {string.Join(", ", container.DriftBefore)}, and does no more)";
        if (isCancelled || !container.WasReady)
            return (true, told + (isCancelled ? ", and was not waited for." : "; it was not ready before either."));

        try
        {
            if (await rollout.WaitAsync(stack, container, isNew: false, null, stop).ConfigureAwait(false) is { } wait)
                return (true, $"{told}, and is not ready as it was before: {wait.Message}");

            // A ComfyUI-Login that was put into the container itself is gone with it when it is recreated.
            foreach (var target in container.Targets)
            {
                if (await rollout.IsOpenAsync(target.Service, stop).ConfigureAwait(false))
                    return (false, $"{told}, and '{target.Service.Name}' lets everybody in now, as ComfyUI does without ComfyUI-Login: stop it, or have Install-ComfyQwen put that back.");
            }

            return (true, $"{told}, and is ready as before.");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (true, $"{told}, and was not waited for.");
        }
    }

    /// <summary>Tells of a container that has what it needs.</summary>
    private void Keep(RolloutContainer container, IEnumerable<LoginProof> proofs)
    {
        Changes.Add(Unchanged(container, ContainerChangeAction.None, "It works with what the files say; it was not restarted."));
        Proofs.AddRange(proofs);
    }

    /// <summary>Tells of a container that is not touched, so that nothing can be proven.</summary>
    private void Leave(RolloutContainer container, ContainerChangeAction action, string why, string remedy)
    {
        Changes.Add(Unchanged(container, action, $"Nothing was proven: {why}. {remedy}"));
        Proofs.AddRange(container.Targets.Where(target => target.Expected is not null).Select(target => Rollout.NotAsked(target.Service, $"container '{container.Name}', {why}", remedy)));
    }

    private ContainerChange Unchanged(RolloutContainer container, ContainerChangeAction action, string message) => new()
    {
        Stack = stack.Root,
        Service = container.Service.Name,
        Container = container.Name,
        Action = action,
        Before = container.State,
        After = container.State,
        Message = message,
    };

    private IProgress<ComposeProgress>? Listener => rollout.Progress is { } progress ? new ComposeListener(progress) : null;

    private sealed class ComposeListener(IProgress<string> progress) : IProgress<ComposeProgress>
    {
        public void Report(ComposeProgress value) => progress.Report(value.Line);
    }
}
