using ComfyAuth.Environments;
using Spectre.Console;

namespace ComfyAuth.Cli.Rendering;

/// <summary><c>.env</c> files as tables for people.</summary>
internal static class EnvironmentTables
{
    public static Table Of(IReadOnlyList<EnvironmentValidation> validations)
    {
        var table = TokenTables.New("Valid", "Service", "Missing", "Invalid");
        foreach (var validation in validations)
            table.AddRow(TokenTables.Verdict(validation.IsValid), validation.Service.EscapeMarkup(), Lines(validation.Missing), Lines(validation.Invalid));
        return table;
    }

    public static Table Of(IReadOnlyList<EnvironmentRestoreResult> results)
    {
        var table = TokenTables.New("Action", "Valid", "Service", "Added", "Changed", "Missing");
        foreach (var result in results)
        {
            table.AddRow(
                result.Action.ToString(),
                TokenTables.Verdict(result.IsValid),
                result.Service.EscapeMarkup(),
                Lines(result.Added),
                Lines(result.Changed),
                Lines(result.Missing));
        }

        return table;
    }

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines).EscapeMarkup();
}
