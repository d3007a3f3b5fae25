using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Containers as tables for people, with what is the matter below.</summary>
internal static class ContainerTables
{
    public static IRenderable Of(IReadOnlyList<ContainerDiagnosis> diagnoses)
    {
        var table = Table("Service", "Condition", "Health", "Up", "CPU", "Memory", "Ports");
        foreach (var diagnosis in diagnoses)
        {
            table.AddRow(
                diagnosis.Service.EscapeMarkup(),
                Condition(diagnosis.Condition),
                Health(diagnosis.Health),
                diagnosis.Uptime is { } uptime ? Duration.Format(uptime) : "",
                diagnosis.Cpu is { } cpu ? string.Create(CultureInfo.InvariantCulture, $"{cpu:0} %") : "",
                diagnosis.MemoryUsed is { } memory ? ByteSize.Format(memory) : "",
                string.Join('\n', diagnosis.Ports.Select(Port).Distinct()).EscapeMarkup());
        }

        return new Rows(
        [
            table,
            .. diagnoses.Where(diagnosis => diagnosis.Condition != ContainerCondition.Ready).Select(diagnosis => Details(diagnosis, diagnosis.Message, diagnosis.Remedy)),
        ]);
    }

    public static IRenderable Of(IReadOnlyList<ContainerWaitResult> results)
    {
        var table = Table("Service", "Outcome", "After", "Condition", "Health");
        foreach (var result in results)
        {
            table.AddRow(
                result.Diagnosis.Service.EscapeMarkup(),
                Outcome(result.Outcome),
                Duration.Format(result.Elapsed),
                Condition(result.Diagnosis.Condition),
                Health(result.Diagnosis.Health));
        }

        return new Rows(
        [
            table,
            .. results.Where(result => result.Outcome != ContainerWaitOutcome.Reached || result.Diagnosis.IsFault).Select(result => Details(result.Diagnosis, result.Message, result.Remedy)),
        ]);
    }

    /// <summary>Narrower than others: this one has many columns, and is to fit into 80.</summary>
    private static Table Table(params string[] columns)
    {
        var table = TokenTables.New(columns);
        foreach (var column in table.Columns)
            column.Padding = new Padding(0, 0, 1, 0);
        table.Columns[^1].Padding = new Padding(0);
        return table;
    }

    private static Rows Details(ContainerDiagnosis diagnosis, string message, string remedy)
    {
        var name = diagnosis.Service == diagnosis.Container ? "" : $" ({diagnosis.Container})";
        var also = diagnosis.Also.Count == 0 ? "" : $" Also: {string.Join(", ", diagnosis.Also)}.";
        List<IRenderable> lines = [new Markup($"[bold]{diagnosis.Service.EscapeMarkup()}[/]{name.EscapeMarkup()}: {(message + also).EscapeMarkup()}")];
        lines.AddRange(diagnosis.Evidence.Select(evidence => Indented($"[grey]{evidence.EscapeMarkup()}[/]")));
        if (remedy.Length > 0)
            lines.Add(Indented(remedy.EscapeMarkup()));
        return new Rows(lines);
    }

    // Without the address, which is the same for most, and the protocol, which is TCP for most.
    private static string Port(string port)
    {
        var arrow = port.IndexOf("->", StringComparison.Ordinal);
        var address = arrow < 0 ? -1 : port.LastIndexOf(':', arrow);
        return port[(address + 1)..].Replace("/tcp", "", StringComparison.Ordinal);
    }

    private static Padder Indented(string markup) => new(new Markup(markup), new Padding(2, 0, 0, 0));

    private static string Outcome(ContainerWaitOutcome outcome) => outcome switch
    {
        ContainerWaitOutcome.Reached => $"[green]{outcome}[/]",
        ContainerWaitOutcome.Undetermined => $"[yellow]{outcome}[/]",
        _ => $"[red]{outcome}[/]",
    };

    private static string Health(ContainerHealthStatus health) => health == ContainerHealthStatus.None ? "" : health.ToString();

    private static string Condition(ContainerCondition condition) => condition switch
    {
        ContainerCondition.Ready => $"[green]{condition}[/]",
        ContainerCondition.Unknown or ContainerCondition.Starting or ContainerCondition.Installing or ContainerCondition.Restarting => $"[yellow]{condition}[/]",
        _ => $"[red]{condition}[/]",
    };
}
