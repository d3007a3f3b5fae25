using ComfyAuth.Tokens;
using Spectre.Console;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Credentials as tables for people.</summary>
internal static class TokenTables
{
    public static Table Of(IReadOnlyList<TokenObservation> observations)
    {
        var table = New("State", "Role", "Found", "Location");
        foreach (var seen in observations)
            table.AddRow(State(seen.State), RoleOf(seen.Role, seen.IsSource), seen.Fingerprint ?? "", Place(seen.Location, seen.Line, seen.Evidence));
        return table;
    }

    public static Table Of(IReadOnlyList<TokenSyncResult> results)
    {
        var table = New("Action", "Before", "After", "Role", "Location");
        foreach (var result in results)
        {
            var action = result.Action == TokenAction.None ? "[grey]None[/]" : $"[bold]{result.Action}[/]";
            table.AddRow(action, State(result.Before), State(result.State), RoleOf(result.Role, result.IsSource), Place(result.Location, null, ""));
        }

        return table;
    }

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

    /// <summary>The place, with what was seen there on a line of its own.</summary>
    private static string Place(string location, int? line, string evidence) =>
        (line is null ? location : $"{location} (line {line})").EscapeMarkup() + (evidence.Length == 0 ? "" : $"\n[grey]{evidence.EscapeMarkup()}[/]");

    private static string RoleOf(Stacks.TokenRole role, bool isSource) => isSource ? "Source" : role.ToString();

    private static string State(TokenState state) => state switch
    {
        TokenState.Match => $"[green]{state}[/]",
        TokenState.Undetermined or TokenState.Unreadable or TokenState.Exposed => $"[yellow]{state}[/]",
        _ => $"[red]{state}[/]",
    };
}
