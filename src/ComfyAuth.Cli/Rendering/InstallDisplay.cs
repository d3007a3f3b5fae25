using System.Text.Json;
using ComfyAuth.Cli.Commands;
using ComfyAuth.Installation;
using ComfyAuth.Reports;
using Spectre.Console;

namespace ComfyAuth.Cli.Rendering;

/// <summary>An installation for people: its steps as they end, and on standard error how far it is.</summary>
internal static class InstallDisplay
{
    /// <summary>Shows on a terminal how far it is, in a line that changes; else nothing.</summary>
    public static async Task<InstallReport> RunAsync(CommandSession session, Func<IProgress<InstallProgress>, Task<InstallReport>> install)
    {
        if (Console.IsErrorRedirected)
            return await install(new Listener(_ => { }));

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Status().StartAsync("Looking at the stack", display => install(new Listener(progress => display.Status = session.Redactor.Redact(Line(progress)).EscapeMarkup())));
    }

    /// <summary>Prints a step that has ended; not with <c>--json</c>.</summary>
    public static void Print(CommandSession session, StepResult step)
    {
        if (session.IsJson)
            return;

        AnsiConsole.Write(new Markup($"{step.Step,-15} {Status(step.Status)}, {Duration.Format(step.Duration)}\n"));
        string[] told = [step.Message, .. step.Changes.Select(change => "- " + change.Replace(step.Stack + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)), step.Remedy, step.IsUndone ? "Its changes were taken back." : ""];
        foreach (var line in told.Where(line => line.Length > 0))
            AnsiConsole.Write(new Padder(new Text(session.Redactor.Redact(line)), new(2, 0, 0, 0)));
    }

    /// <summary>Prints what came of it: the JSON document where it was asked for, else how it ended, what was left and what comes next.</summary>
    public static void Print(CommandSession session, IReadOnlyList<InstallReport> reports)
    {
        if (session.IsJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(reports, ReportJsonContext.Default.IReadOnlyListInstallReport));
            return;
        }

        foreach (var report in reports)
        {
            session.Say($"\n{report.Outcome}{(report.IsResumed ? ", after going on with a run that was interrupted" : "")}.");
            foreach (var line in report.Kept)
                session.Say($"Kept: {line}");
            foreach (var line in report.NextSteps)
                session.Say($"- {line}");
        }
    }

    /// <summary>What was removed.</summary>
    public static Table Of(IReadOnlyList<UndoneChange> results)
    {
        var table = TokenTables.New("Outcome", "Kind", "What");
        foreach (var result in results)
            table.AddRow(Outcome(result.Outcome), result.Kind, string.Join('\n', new[] { result.Target.Replace(", ", "\n", StringComparison.Ordinal), result.Message, result.Remedy }.Where(line => line.Length > 0)).EscapeMarkup());
        return table;
    }

    private static string Line(InstallProgress progress) =>
        $"{progress.Number}/{progress.Count} {progress.Step}{(progress.Total > 0 ? $" {100 * progress.Done / progress.Total} %" : "")} {progress.Status}{(progress.TimeLeft is { } left ? $"; {Duration.Format(left)} left" : "")}";

    private static string Status(StepStatus status) => status switch
    {
        StepStatus.Done or StepStatus.Unchanged => $"[green]{status}[/]",
        StepStatus.Failed => $"[red]{status}[/]",
        StepStatus.Declined => $"[yellow]{status}[/]",
        _ => status.ToString(),
    };

    private static string Outcome(UndoOutcome outcome) => outcome switch
    {
        UndoOutcome.Undone => $"[green]{outcome}[/]",
        UndoOutcome.Failed => $"[red]{outcome}[/]",
        _ => $"[yellow]{outcome}[/]",
    };

    private sealed class Listener(Action<InstallProgress> tell) : IProgress<InstallProgress>
    {
        public void Report(InstallProgress value) => tell(value);
    }
}
