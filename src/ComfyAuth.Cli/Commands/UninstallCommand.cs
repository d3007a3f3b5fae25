using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Installation;
using ComfyAuth.Reports;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth uninstall</c>: removes what <c>install</c> has made.</summary>
internal static class UninstallCommand
{
    public static Command Create()
    {
        var removeData = new Option<bool>("--remove-data") { Description = "Also remove the models, pictures and volumes that installations have made." };
        var (_, _, json, verbose) = CommandSession.CommonOptions;
        var command = new Command("uninstall", "Removes what install has made; models and pictures stay.")
        {
            InstallCommand.Plan, removeData, InstallCommand.Path, InstallCommand.Service, ContainerChoice.Context, ContainerChoice.Host, json, verbose,
        };
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                await using var engine = ContainerChoice.Connect(parsed);
                var uninstaller = new Uninstaller(engine, session.Redactor, session.Verifier, session.Logger) { RemoveData = parsed.GetValue(removeData) };
                var results = new List<UndoneChange>();
                try
                {
                    await session.TryAsync(async () =>
                    {
                        var stack = Uninstaller.StackAt(parsed.GetValue(InstallCommand.Path)!);
                        var service = parsed.GetValue(InstallCommand.Service);
                        if (parsed.GetValue(InstallCommand.Plan))
                        {
                            foreach (var change in await uninstaller.PlanAsync(stack, service, stop))
                                session.Say($"{change.Action}: {change.Target}");
                            return;
                        }

                        await foreach (var undone in uninstaller.RunAsync(stack, service, null, stop))
                            results.Add(undone);
                        if (results.Count == 0)
                            session.Warn($"Nothing is installed in '{stack.Root}'.");
                    });
                }
                finally
                {
                    // What was removed before an error or a cancellation is said too.
                    if (session.IsJson || results.Count > 0)
                        session.Print(results, ReportJsonContext.Default.IReadOnlyListUndoneChange, undone => undone.Stack, InstallDisplay.Of);
                }

                return results.Exists(undone => undone.Outcome == UndoOutcome.Failed) ? ExitCode.NotDone : ExitCode.Fine;
            },
            cancellationToken));
        return command;
    }
}
