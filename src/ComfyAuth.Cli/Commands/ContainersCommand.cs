using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Containers;
using ComfyAuth.Reports;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth containers</c>: what the containers of a stack are really doing, and what to do about it.</summary>
internal static class ContainersCommand
{
    public static Command Create()
    {
        var command = ContainerChoice.Command("containers", "Says what the containers of a stack are really doing, why, and what to do about it.");
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(CommandSession.CommonOptions.Json),
            parsed.GetValue(CommandSession.CommonOptions.Verbose),
            async (session, stop) =>
            {
                var diagnoses = new List<ContainerDiagnosis>();
                try
                {
                    await ContainerChoice.ForEachStackAsync(
                        session,
                        parsed,
                        async (_, observer, stack, services) =>
                        {
                            await foreach (var snapshot in observer.ObserveAsync(stack, services, stop))
                                diagnoses.Add(ContainerDiagnostician.Diagnose(snapshot, session.Redactor));
                        },
                        stop);
                }
                finally
                {
                    // What was seen before a cancellation is said too.
                    session.Print(diagnoses, ReportJsonContext.Default.IReadOnlyListContainerDiagnosis, diagnosis => diagnosis.Stack, ContainerTables.Of);
                }

                // Of nothing it is not said that all is well.
                return ExitCode.Of(
                    diagnoses.Any(diagnosis => diagnosis.Condition is not (ContainerCondition.Ready or ContainerCondition.Unknown)),
                    diagnoses.Count == 0 || diagnoses.Any(diagnosis => diagnosis.Condition == ContainerCondition.Unknown));
            },
            cancellationToken));
        return command;
    }
}
