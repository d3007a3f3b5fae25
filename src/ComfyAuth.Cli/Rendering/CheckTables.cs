using ComfyAuth.Validation;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>The results of checks for people: a line each, what is to be done below.</summary>
internal static class CheckTables
{
    private const int MostEvidence = 5;

    public static IRenderable Of(IReadOnlyList<CheckResult> results)
    {
        var table = TokenTables.New("Status", "Check", "Service", "Message");
        foreach (var column in table.Columns)
            column.Padding = new Padding(0, 0, 1, 0);
        foreach (var result in results)
            table.AddRow(Status(result), result.Id.EscapeMarkup(), (result.Service ?? "").EscapeMarkup(), result.Message.EscapeMarkup());

        return new Rows([table, Findings(results)]);
    }

    /// <summary>Only what is to be looked at, and how many ended how.</summary>
    public static IRenderable Findings(IReadOnlyList<CheckResult> results) => new Rows(
    [
        .. results.Where(result => result.Status is CheckStatus.Failed or CheckStatus.Warning or CheckStatus.Error).SelectMany(Details),
        new Markup(Sum(results)),
    ]);

    /// <summary>How many ended how, as one line.</summary>
    private static string Sum(IReadOnlyList<CheckResult> results) =>
        string.Join(", ", Enum.GetValues<CheckStatus>().Select(status => $"{results.Count(result => result.Status == status)} {Word(status)}"));

    private static IEnumerable<IRenderable> Details(CheckResult result)
    {
        yield return new Markup($"{Status(result)} [bold]{result.Id.EscapeMarkup()}[/]{(result.Service is null ? "" : $" {result.Service.EscapeMarkup()}")}: {result.Message.EscapeMarkup()}");
        foreach (var evidence in result.Evidence.Take(MostEvidence))
            yield return Indented($"[grey]{evidence.EscapeMarkup()}[/]");
        if (result.Evidence.Count > MostEvidence)
            yield return Indented($"[grey]and {result.Evidence.Count - MostEvidence} more[/]");
        if (result.Remedy.Length > 0)
            yield return Indented(result.Remedy.EscapeMarkup() + (result.CanFix ? " [grey](--fix does it)[/]" : ""));
        if (result.Guidance is [var best, ..])
            yield return Indented($"[grey]See {best.EscapeMarkup()}[/]");
    }

    private static string Status(CheckResult result) => result switch
    {
        { Fixed: true } => "[green]fixed[/]",
        { Status: CheckStatus.Passed } => "[green]passed[/]",
        { Status: CheckStatus.Failed } => "[red]failed[/]",
        { Status: CheckStatus.Skipped } => "[grey]skipped[/]",
        { Status: CheckStatus.Warning } => "[yellow]warning[/]",
        _ => "[yellow]error[/]",
    };

    private static string Word(CheckStatus status) => status switch
    {
        CheckStatus.Warning => "warnings",
        CheckStatus.Error => "not determined",
        _ => status.ToString().ToLowerInvariant(),
    };

    private static Padder Indented(string markup) => new(new Markup(markup), new Padding(2, 0, 0, 0));
}
