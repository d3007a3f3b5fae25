using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Credentials as lists and tables for people; they fit into 80 columns unless a path does not.</summary>
internal static class TokenTables
{
    public static IRenderable Of(IReadOnlyList<TokenObservation> observations) => ByFile(
        $"{"State",-19} {"What",-22} Found",
        observations,
        seen => seen.Location,
        seen => $"{State(seen.State, 19)} {What(seen.Location, seen.Role, seen.IsSource),-22} {seen.Fingerprint,-8}{(seen.Line is null ? "" : $"  line {seen.Line}")}",
        seen => seen.Evidence,
        indent: 22);

    public static IRenderable Of(IReadOnlyList<TokenSyncResult> results) => ByFile(
        $"{"Action",-10} {"Before",-15} {"After",-15} What",
        results,
        result => result.Location,
        result => $"{Action(result.Action)} {State(result.Before)} {State(result.State)} {What(result.Location, result.Role, result.IsSource)}",
        result => "");

    public static Table Of(IReadOnlyList<TokenValidation> validations)
    {
        var table = New("Valid", "Service", "Hash", "Password", "Agree", "Wrong", "Unknown");
        foreach (var validation in validations)
        {
            table.AddRow(
                Verdict(validation.IsValid),
                validation.Service.EscapeMarkup(),
                validation.Fingerprint ?? "",
                Verdict(validation.PasswordVerified),
                $"{validation.Matching}",
                $"{validation.Faulty}",
                $"{validation.Undetermined}");
        }

        return table;
    }

    /// <summary>A table in the house's style.</summary>
    public static Table New(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(column) { NoWrap = column != columns[^1] });
        return table;
    }

    /// <summary>Yes, no, or not known.</summary>
    public static string Verdict(bool? verdict) => verdict switch
    {
        true => "[green]yes[/]",
        false => "[red]no[/]",
        null => "[yellow]unknown[/]",
    };

    /// <summary>
    /// The places under the name of their file, which is too long for a column. What was seen at one stands below it.
    /// </summary>
    private static Rows ByFile<T>(string header, IEnumerable<T> places, Func<T, string> locationOf, Func<T, string> row, Func<T, string> seen, int indent = 18)
    {
        var lines = new List<IRenderable> { new Text(""), new Markup($"  [grey]{header}[/]") };
        foreach (var file in places.GroupBy(place => locationOf(place).Split('#')[0]))
        {
            lines.Add(new Markup($"[bold]{file.Key.EscapeMarkup()}[/]"));
            foreach (var place in file)
            {
                lines.Add(new Markup($"  {row(place)}"));
                if (seen(place).Length > 0)
                    lines.Add(new Padder(new Markup($"[grey]{seen(place).EscapeMarkup()}[/]"), new Padding(indent, 0, 0, 0)));
            }
        }

        return new Rows(lines);
    }

    private static string What(string location, TokenRole role, bool isSource)
    {
        var variable = location.IndexOf('#', StringComparison.Ordinal);
        return (variable >= 0 ? location[(variable + 1)..] : location.StartsWith("http", StringComparison.Ordinal) && location.Contains("://", StringComparison.Ordinal) ? "server" : isSource ? "source of truth" : role == TokenRole.Hash ? "hash" : role.ToString()).EscapeMarkup();
    }

    private static string Action(TokenAction action) => $"[{(action == TokenAction.None ? "grey" : "bold")}]{action,-10}[/]";

    /// <summary>Of the states, those of a file fit into 15 characters.</summary>
    private static string State(TokenState state, int width = 15)
    {
        var colour = state switch
        {
            TokenState.Match => "green",
            TokenState.Undetermined or TokenState.Unreadable or TokenState.Exposed => "yellow",
            _ => "red",
        };
        return $"[{colour}]{state.ToString().PadRight(width)}[/]";
    }
}
