using System.Diagnostics;
using ComfyAuth.Files;
using ComfyAuth.Reports;

namespace ComfyAuth.Installation;

/// <summary>One run through the steps.</summary>
internal sealed class InstallRun(
    IReadOnlyList<InstallStep> steps,
    StepProgress progress,
    Action<StepResult> finished,
    TimeProvider clock,
    Func<InstallStepName, InstallMoment, Task>? atMoment,
    InstallParts skip,
    InstallContext context)
{
    private readonly List<StepResult> _results = [];
    private readonly List<string> _kept = [];
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private readonly long _started = Stopwatch.GetTimestamp();

    private InstallJournal Journal => context.Journal;

    /// <summary>Does what is to be done.</summary>
    /// <param name="approve">Asked before each change; null approves all.</param>
    /// <param name="stop">Ends the work; the journal stays.</param>
    public async Task<InstallReport> DoAsync(Func<PlannedChange, Task<bool>>? approve, CancellationToken stop)
    {
        // A run that was killed while it wrote files left them half old and half new.
        await FileTransaction.RecoverAsync(context.Root, new() { Logger = context.Logger }, stop).ConfigureAwait(false);
        if (Journal.Phase == InstallPhase.Undoing && !await UndoAsync(stop).ConfigureAwait(false))
            throw new ComfyAuthException("InstallUndoIncomplete", $"An installation that failed is still to be taken back, and that fails again: {string.Join("; ", _kept)}", "Mend that, then start again.");

        var isResumed = Journal.Phase == InstallPhase.Running;
        Journal.Begin();
        foreach (var (step, index) in steps.Select((step, index) => (step, index)))
        {
            stop.ThrowIfCancellationRequested();
            progress.Enter(step.Name, index + 1, steps.Count + 1);
            var result = Begin(step.Name);
            if (_results.Exists(result => result.Status is StepStatus.Failed or StepStatus.Declined))
                Add(result(StepStatus.NotRun, "A step before it did not end well."));
            else if ((skip & step.Part) != 0)
                Add(result(StepStatus.Skipped, "It was left out on request; nothing was looked at."));
            else
                Add(await DoAsync(step, approve, result, stop).ConfigureAwait(false));
        }

        return await EndAsync(isResumed, stop).ConfigureAwait(false);
    }

    /// <summary>Tells what would be done.</summary>
    /// <param name="planned">Is told each change.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<InstallReport> PlanAsync(Func<PlannedChange, Task> planned, CancellationToken stop)
    {
        var isAnythingPlanned = Journal.Phase == InstallPhase.Undoing;
        if (isAnythingPlanned)
            await planned(new PlannedInstallChange(context.Root, "Take back first what a run that failed has changed", (_, _) => Task.CompletedTask)).ConfigureAwait(false);
        foreach (var step in steps)
        {
            var result = Begin(step.Name);
            if ((skip & step.Part) != 0)
            {
                Add(result(StepStatus.Skipped, "It was left out on request; nothing was looked at."));
                continue;
            }

            try
            {
                var plan = await step.CheckAsync(context, stop).ConfigureAwait(false);
                foreach (var change in plan.Changes)
                    await planned(change).ConfigureAwait(false);
                isAnythingPlanned |= plan.Changes.Count > 0;
                Add(Described(result(plan.IsSkipped ? StepStatus.Skipped : plan.Changes.Count > 0 ? StepStatus.Planned : StepStatus.Unchanged, plan.Message), plan));
            }
            catch (ComfyAuthException error)
            {
                // What the steps before it would make is not there yet.
                Add(isAnythingPlanned
                    ? result(StepStatus.Planned, $"What it would do can be told only when the steps before it are done: {error.Message}")
                    : result(StepStatus.Failed, error.Message) with { ErrorCode = error.Code, Remedy = error.Remedy });
            }
        }

        return Report(_results.Exists(result => result.Status == StepStatus.Failed) ? InstallOutcome.Failed : InstallOutcome.Planned, isResumed: false);
    }

    private async Task<StepResult> DoAsync(InstallStep step, Func<PlannedChange, Task<bool>>? approve, Func<StepStatus, string, StepResult> result, CancellationToken stop)
    {
        IReadOnlyList<string> changes = [];
        try
        {
            await MomentAsync(step, InstallMoment.Begins).ConfigureAwait(false);
            var plan = await step.CheckAsync(context, stop).ConfigureAwait(false);
            changes = Lines(plan);
            Journal.Enter(step.Name);
            foreach (var change in plan.Changes)
            {
                if (approve is not null && !await approve(change).ConfigureAwait(false))
                    return Described(result(StepStatus.Declined, $"It needs a change that was declined: {change.Target}: {change.Action}."), plan);
            }

            // What an interrupted run did is this run's, and may not have been proven.
            var isOurs = plan.Changes.Count > 0 || Journal.Changes.Any(change => change.Run == Journal.Run && change.Step == step.Name);
            if (plan.Changes.Count > 0)
            {
                await MomentAsync(step, InstallMoment.Changes).ConfigureAwait(false);
                await MakeAsync(step, plan, stop).ConfigureAwait(false);
                await MomentAsync(step, InstallMoment.Changed).ConfigureAwait(false);
            }

            if (isOurs || (step.AlwaysProves && !plan.IsSkipped))
            {
                var proof = await step.VerifyAsync(context, stop).ConfigureAwait(false);
                if (proof.Changes is [var left, ..])
                    throw new ComfyAuthException("InstallStepUnproven", $"{proof.Message} After all changes were made, there is still to do: {left.Target}: {left.Action}.", "Start again; if it says so again, look at the evidence in the report.");
                plan = proof with { Changes = plan.Changes };
            }

            await MomentAsync(step, InstallMoment.Ends).ConfigureAwait(false);
            return Described(result(plan.IsSkipped ? StepStatus.Skipped : isOurs ? StepStatus.Done : StepStatus.Unchanged, plan.Message), plan);
        }
        catch (ComfyAuthException error)
        {
            return result(StepStatus.Failed, error.Message) with { ErrorCode = error.Code, Remedy = error.Remedy, Changes = changes };
        }
        catch (Exception error) when (error is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // A fault of ours must be in the report too, and what was done must not be left lying.
            return result(StepStatus.Failed, context.Redactor.Describe(error)) with { ErrorCode = "Unexpected", Changes = changes };
        }
    }

    private async Task MakeAsync(InstallStep step, StepPlan plan, CancellationToken stop)
    {
        try
        {
            foreach (var change in plan.Changes)
                await change.MakeAsync(context, stop).ConfigureAwait(false);
        }
        finally
        {
            Journal.Settle();
        }
    }

    private async Task<InstallReport> EndAsync(bool isResumed, CancellationToken stop)
    {
        InstallOutcome outcome;
        if (_results.Exists(result => result.Status == StepStatus.Failed))
        {
            if (context.Options.NoRollback)
                outcome = InstallOutcome.Failed;
            else
                outcome = await UndoAsync(stop).ConfigureAwait(false) ? InstallOutcome.RolledBack : InstallOutcome.RollbackIncomplete;
        }
        else if (_results.Exists(result => result.Status == StepStatus.Declined))
        {
            outcome = InstallOutcome.Declined;
        }
        else
        {
            outcome = Journal.HasChangedAnything ? InstallOutcome.Installed : InstallOutcome.Unchanged;
            Journal.End();
        }

        var report = Report(outcome, isResumed);
        return await WriteAsync(report, stop).ConfigureAwait(false);
    }

    /// <summary>Takes back what this run changed.</summary>
    /// <returns>Whether all of it is as it was, apart from what was kept on purpose.</returns>
    private async Task<bool> UndoAsync(CancellationToken stop)
    {
        Journal.BeginUndo();
        var changes = Journal.Changes.Where(change => change.Run == Journal.Run).ToList();
        var undo = new InstallUndo(context, isRemoval: false, removeData: false);
        var isWhole = true;
        await foreach (var undone in undo.RunAsync(changes, null, stop).ConfigureAwait(false))
        {
            isWhole &= undone.Outcome != UndoOutcome.Failed;
            if (undone.Outcome != UndoOutcome.Undone)
                _kept.Add(undone.ToString());
        }

        for (var index = 0; index < _results.Count; index++)
        {
            if (changes.Exists(change => change.Step == _results[index].Step))
                _results[index] = _results[index] with { IsUndone = !Journal.Changes.Any(change => change.Run == Journal.Run && change.Step == _results[index].Step) };
        }

        if (isWhole)
            Journal.End();
        return isWhole;
    }

    private async Task<InstallReport> WriteAsync(InstallReport report, CancellationToken stop)
    {
        progress.Enter(InstallStepName.Report, steps.Count + 1, steps.Count + 1);
        var end = Begin(InstallStepName.Report);
        StepResult result;
        try
        {
            var folder = context.Options.ReportDirectory ?? Path.Combine(FileJournal.StateFolder(context.Root), "reports");
            report = await InstallReportWriter.WriteAsync(
                folder,
                _startedAt,
                files => report with { Files = files, Steps = report.Steps.Append(end(StepStatus.Done, $"The report is in {string.Join(" and ", files)}.")).ToArray() },
                stop).ConfigureAwait(false);
            result = report.Steps[^1];
        }
        catch (ComfyAuthException error)
        {
            // What is installed works without a report of it.
            result = end(StepStatus.Failed, error.Message) with { ErrorCode = error.Code, Remedy = error.Remedy };
            report = report with { Files = [], Steps = _results.Append(result).ToArray() };
        }

        finished(result);
        return report;
    }

    // Arrays: PowerShell cannot index what the compiler makes of a collection expression.
    private InstallReport Report(InstallOutcome outcome, bool isResumed) => new()
    {
        Stack = context.Root,
        Service = context.Service.Name,
        StartedAt = _startedAt,
        Duration = Stopwatch.GetElapsedTime(_started),
        ModuleVersion = ComfyAuth.ModuleVersion.Current,
        Outcome = outcome,
        IsResumed = isResumed,
        Steps = _results.ToArray(),
        Kept = _kept.ToArray(),
        NextSteps = NextSteps(outcome),
    };

    private List<string> NextSteps(InstallOutcome outcome)
    {
        var steps = new List<string>();
        steps.AddRange(_results.Select(result => result.Remedy).Where(remedy => remedy.Length > 0).Distinct());
        if (outcome is InstallOutcome.Failed or InstallOutcome.Declined)
            steps.Add("Start it again: it goes on where it is.");
        if (outcome is InstallOutcome.RolledBack)
            steps.Add("Start it again when that is mended; what was downloaded is not downloaded again.");
        if (outcome is InstallOutcome.Installed or InstallOutcome.Unchanged)
            steps.Add($"Open {context.Service.Url} and log in; validate the stack with Test-GenAIEcosystem.");
        return steps;
    }

    /// <summary>Begins a step.</summary>
    /// <returns>Makes its result, out of how it ended and a message.</returns>
    private Func<StepStatus, string, StepResult> Begin(InstallStepName step)
    {
        var startedAt = clock.GetUtcNow();
        var started = Stopwatch.GetTimestamp();
        return (status, message) => new()
        {
            Stack = context.Root,
            Step = step,
            Status = status,
            Message = context.Redactor.Redact(message),
            StartedAt = startedAt,
            Duration = Stopwatch.GetElapsedTime(started),
        };
    }

    private Task MomentAsync(InstallStep step, InstallMoment moment) => atMoment?.Invoke(step.Name, moment) ?? Task.CompletedTask;

    private void Add(StepResult result)
    {
        _results.Add(result);
        finished(result);
    }

    private StepResult Described(StepResult result, StepPlan plan) => result with { Evidence = plan.Evidence.Select(context.Redactor.Redact).ToArray(), Changes = Lines(plan) };

    private List<string> Lines(StepPlan plan) => [.. plan.Changes.Select(change => context.Redactor.Redact($"{change.Target}: {change.Action}"))];
}
