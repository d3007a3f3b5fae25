using ComfyAuth.Comfy;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>Proofs of logins for people.</summary>
internal static class ProofTables
{
    public static IRenderable Of(IReadOnlyList<LoginProof> proofs)
    {
        var lines = new List<IRenderable>();
        var table = TokenTables.New("Proven", "Service", "Token", "Password", "WebSocket", "Old refused");
        lines.Add(table);
        foreach (var proof in proofs)
        {
            table.AddRow(TokenTables.Verdict(proof.IsProven), proof.Service.EscapeMarkup(), Reading(proof.AcceptsToken), Reading(proof.AcceptsPassword), Reading(proof.AcceptsWebSocket), Reading(proof.RefusesOldToken));
            if (proof.IsProven != true)
                lines.Add(new Text($"{proof.Service}: {string.Join("; ", proof.Evidence)}. {proof.Remedy}"));
        }

        return new Rows(lines);
    }

    private static string Reading(bool? reading) => reading is null ? "-" : TokenTables.Verdict(reading);
}
