using ComfyAuth.Cli.Commands;
using ComfyAuth.Comfy;
using Spectre.Console;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Shows on standard error how far a workflow is: a line that changes on a terminal, else nothing but warnings.</summary>
internal static class WorkflowDisplay
{
    public static Task RunAsync(CommandSession session, ComfyWorkflow workflow, Func<IProgress<PromptEvent>, Task> run)
    {
        if (Console.IsErrorRedirected)
            return run(Progress((_, _) => { }));

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().StartAsync("Checking the workflow", display => run(Progress((what, thousandths) => display.Status = session.Redactor.Redact(thousandths < 0 ? what : $"{thousandths / 10} %  {what}").EscapeMarkup())));

        ComfyWorkflowProgress Progress(Action<string, int> tell) => new(workflow, tell, session.Warn, session.Note);
    }
}
