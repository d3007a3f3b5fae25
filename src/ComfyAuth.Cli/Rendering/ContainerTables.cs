using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Containers as tables for people, with what is the matter below.</summary>
internal static class ContainerTables
{
    // With the longest words of all columns; in less, the ports would be broken into pieces that nobody can read.
    private const int WidthWithPorts = 105;

    public static IRenderable Of(IReadOnlyList<ContainerDiagnosis> diagnoses)
    {
        string[] columns = ["Service", "Condition", "Health", "Up", "CPU", "Memory", "Ports"];
        var shown = AnsiConsole.Profile.Width < WidthWithPorts ? columns.Length - 1 : columns.Length;
        var table = TokenTables.New(columns[..shown]);
        foreach (var diagnosis in diagnoses)
            table.AddRow(Cells(diagnosis)[..shown]);
        return new Rows([table, .. diagnoses.Where(diagnosis => diagnosis.Condition != ContainerCondition.Ready).Select(diagnosis => Details(diagnosis))]);
    }

    public static IRenderable Of(IReadOnlyList<ContainerWaitResult> results)
    {
        var table = TokenTables.New("Service", "Outcome", "After", "Condition", "Health", "Message");
        foreach (var (outcome, message, elapsed, diagnosis) in results)
        {
            table.AddRow(
                diagnosis.Service.EscapeMarkup(),
                $"[{(outcome == ContainerWaitOutcome.Reached ? "green" : outcome == ContainerWaitOutcome.Undetermined ? "yellow" : "red")}]{outcome}[/]",
                Duration.Format(elapsed),
                Condition(diagnosis.Condition),
                Health(diagnosis.Health),
                message.EscapeMarkup());
        }

        return new Rows([table, .. results.Where(result => result.Outcome != ContainerWaitOutcome.Reached).Select(result => Details(result.Diagnosis))]);
    }

    private static string[] Cells(ContainerDiagnosis diagnosis) =>
    [
        diagnosis.Service.EscapeMarkup(),
        Condition(diagnosis.Condition),
        Health(diagnosis.Health),
        diagnosis.Uptime is { } uptime ? Duration.Format(uptime) : "",
        diagnosis.Cpu is { } cpu ? string.Create(CultureInfo.InvariantCulture, $"{cpu:0} %") : "",
        diagnosis.MemoryUsed is { } memory ? ByteSize.Format(memory) : "",
        string.Join('\n', diagnosis.Ports).EscapeMarkup(),
    ];

    private static Rows Details(ContainerDiagnosis diagnosis)
    {
        var name = diagnosis.Service == diagnosis.Container ? "" : $" ({diagnosis.Container})";
        var also = diagnosis.Also.Count == 0 ? "" : $" Also: {string.Join(", ", diagnosis.Also)}.";
        List<IRenderable> lines = [new Markup($"[bold]{diagnosis.Service.EscapeMarkup()}[/]{name.EscapeMarkup()}: {(diagnosis.Message + also).EscapeMarkup()}")];
        lines.AddRange(diagnosis.Evidence.Select(evidence => Indented($"[grey]{evidence.EscapeMarkup()}[/]")));
        if (diagnosis.Remedy.Length > 0)
            lines.Add(Indented(diagnosis.Remedy.EscapeMarkup()));
        return new Rows(lines);
    }

    private static Padder Indented(string markup) => new(new Markup(markup), new Padding(2, 0, 0, 0));

    private static string Health(ContainerHealthStatus health) => health == ContainerHealthStatus.None ? "" : health.ToString();

    private static string Condition(ContainerCondition condition) => condition switch
    {
        ContainerCondition.Ready => $"[green]{condition}[/]",
        ContainerCondition.Unknown or ContainerCondition.Starting or ContainerCondition.Installing or ContainerCondition.Restarting => $"[yellow]{condition}[/]",
        _ => $"[red]{condition}[/]",
    };
}
