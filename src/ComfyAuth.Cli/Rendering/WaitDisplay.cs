using ComfyAuth.Cli.Commands;
using ComfyAuth.Containers;
using Spectre.Console;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Shows on standard error what is waited for: a line that changes on a terminal, else a line for each change.</summary>
internal static class WaitDisplay
{
    public static Task RunAsync(CommandSession session, Func<IProgress<ContainerDiagnosis>, Task> wait)
    {
        if (Console.IsErrorRedirected)
            return wait(new Changes(session));

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().StartAsync("Waiting", display => wait(new ContainerProgress(line => display.Status = session.Redactor.Redact(line).EscapeMarkup())));
    }

    private sealed class Changes(CommandSession session) : IProgress<ContainerDiagnosis>
    {
        private readonly Dictionary<(string Stack, string Service), (ContainerCondition, string?)> _told = [];

        public void Report(ContainerDiagnosis value)
        {
            lock (_told)
            {
                var (who, what) = ((value.Stack, value.Service), (value.Condition, value.Package));
                if (_told.TryGetValue(who, out var before) && before == what)
                    return;
                _told[who] = what;
                session.Warn(ContainerProgress.Describe(value));
            }
        }
    }
}
