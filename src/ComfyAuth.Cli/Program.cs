using System.CommandLine;
using ComfyAuth.Cli.Commands;

namespace ComfyAuth.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        var root = new RootCommand("Installs ComfyUI behind a login, makes the tokens and .env files of ComfyUI stacks in Docker agree, says what their containers are doing, and holds all of it against checks.")
        {
            InstallCommand.Create(),
            UninstallCommand.Create(),
            SyncTokenCommand.Create(),
            RestoreEnvCommand.Create(),
            ContainersCommand.Create(),
            WaitCommand.Create(),
            TestCommand.Create(),
            UndoFixCommand.Create(),
            ReportCommand.Create(),
            RunWorkflowCommand.Create(),
            SaveModelCommand.Create(),
            QuickstartCommand.Create(),
            EmulateCommand.Create(),
        };

        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync($"Try 'comfyauth {string.Join(' ', parsed.CommandResult.Command == root ? [] : [parsed.CommandResult.Command.Name, ""])}--help'.");
            return ExitCode.Usage;
        }

        // Ctrl+C is heard at once. How long it may take to leave everything as it was depends on what was begun; on a busy machine the
        // usual two seconds are too few to take a change of files back.
        var isRollout = parsed.GetValue(RolloutChoice.Restart);
        return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = isRollout ? RolloutChoice.TimeToGoBack : TimeSpan.FromSeconds(10) });
    }
}
