using System.CommandLine;
using ComfyAuth.Validation;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth undo-fix</c>: puts back what <c>test --fix</c> replaced.</summary>
internal static class UndoFixCommand
{
    public static Command Create()
    {
        var (path, _, _, verbose) = CommandSession.CommonOptions;
        var id = new Option<string?>("--id") { Description = "Which fix: its time, as yyyyMMdd-HHmmss. Default: the last.", Validators = { CommandSession.RequireValue } };
        var command = new Command("undo-fix", "Puts back the files that test --fix replaced.") { id, path, verbose };
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            json: false,
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                await session.ForEachStackAsync(
                    parsed.GetValue(path)!,
                    recover: true,
                    async stack =>
                    {
                        foreach (var file in await RepairUndo.Plan(stack, parsed.GetValue(id)).ApplyAsync(stop: stop))
                            session.Say($"Put back: {file}");
                    },
                    stop);
                return ExitCode.Fine;
            },
            cancellationToken));
        return command;
    }
}
