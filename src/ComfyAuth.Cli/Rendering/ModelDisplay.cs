using System.Globalization;
using ComfyAuth.Cli.Commands;
using ComfyAuth.Models;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Downloads for people: how far they are, in a line of standard error that changes on a terminal, and what came of them.</summary>
internal static class ModelDisplay
{
    public static Task RunAsync(CommandSession session, Func<IProgress<ModelDownloadProgress>?, Task> run)
    {
        if (Console.IsErrorRedirected)
            return run(null);

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().StartAsync("Looking for the models", display => run(new ModelDownloadSummary((what, done, total) =>
            display.Status = session.Redactor.Redact(total > 0 ? $"{100 * done / total} %  {what}" : what).EscapeMarkup())));
    }

    public static IRenderable Of(IReadOnlyList<ModelDownloadResult> results)
    {
        var table = TokenTables.New("Outcome", "Size", "Loaded", "Seconds", "File");
        foreach (var result in results)
        {
            table.AddRow(
                result.Outcome.ToString(),
                ByteSize.Format(result.SizeInBytes),
                ByteSize.Format(result.BytesDownloaded),
                result.Duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture),
                result.Path.EscapeMarkup());
        }

        return new Rows(
        [
            table,
            .. results.Where(result => result.Note is not null).Select(result => new Markup($"[yellow]{result.File.EscapeMarkup()}[/]: {result.Note.EscapeMarkup()}")),
        ]);
    }
}
