using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Containers;
using ComfyAuth.Reports;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth wait</c>: waits until the containers of a stack do their work.</summary>
internal static class WaitCommand
{
    public static Command Create()
    {
        var defaults = new ContainerWaitOptions();
        var goal = new Option<ContainerGoal>("--for") { Description = "What to wait for: ready (accepts our token), live (answers at all) or healthy (the healthcheck passes).", DefaultValueFactory = _ => defaults.Goal };
        goal.Validators.Add(result =>
        {
            // A number is no name, though the parser takes it for one.
            if (result.Tokens is [var word, ..] && !Enum.GetNames<ContainerGoal>().Contains(word.Value, StringComparer.OrdinalIgnoreCase))
                result.AddError($"--for: '{word.Value}' is none of ready, live and healthy.");
        });
        var timeout = CommandSession.Time("--timeout", "When to give up, whatever happens: 90s, 10m, 00:10:00, or seconds.", defaults.Timeout);
        var stallTimeout = CommandSession.Time("--stall-timeout", "When to give up on a container that shows no sign of life.", defaults.StallTimeout);
        var command = ContainerChoice.Command("wait", "Waits until the containers of a stack do their work, and gives up at once on those that never will.", goal, timeout, stallTimeout);
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(CommandSession.CommonOptions.Json),
            parsed.GetValue(CommandSession.CommonOptions.Verbose),
            async (session, stop) =>
            {
                var options = new ContainerWaitOptions { Goal = parsed.GetValue(goal), Timeout = parsed.GetValue(timeout), StallTimeout = parsed.GetValue(stallTimeout) };
                var results = new List<ContainerWaitResult>();
                try
                {
                    await WaitDisplay.RunAsync(session, progress => ContainerChoice.ForEachStackAsync(
                        session,
                        parsed,
                        async (engine, observer, stack, services) =>
                        {
                            await foreach (var result in new ContainerWaiter(engine, observer, session.Redactor).WaitAsync(stack, services, options, progress, stop))
                                results.Add(result);
                        },
                        stop));
                }
                finally
                {
                    // What was reached before a cancellation is said too.
                    session.Print(results, ReportJsonContext.Default.IReadOnlyListContainerWaitResult, result => result.Diagnosis.Stack, ContainerTables.Of);
                }

                // Of nothing it is not said that it is ready.
                return ExitCode.Of(
                    results.Any(result => result.Outcome is not (ContainerWaitOutcome.Reached or ContainerWaitOutcome.Undetermined)),
                    results.Count == 0 || results.Any(result => result.Outcome == ContainerWaitOutcome.Undetermined));
            },
            cancellationToken));
        return command;
    }
}
