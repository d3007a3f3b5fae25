using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ComfyAuth.Reports;

/// <summary>Writes an audit as JSON or as Markdown.</summary>
public static class TokenReportWriter
{
    private const string Title = "# Credential audit";

    private static readonly ReportForm Json = new(".json", async (stream, stop) =>
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(stream, ReportJsonContext.Default.TokenReport, stop).ConfigureAwait(false) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    });

    private static readonly ReportFile Files = new("an audit", Json, ReportForm.BeginningWith(".md", Title + "\n"));

    /// <summary>Whether a file's extension says in which form a report is wanted.</summary>
    /// <param name="path">The file's name.</param>
    /// <returns>True for <c>.json</c> and <c>.md</c>, in any case.</returns>
    public static bool IsKnown(string path) => Files.FormOf(path) is not null;

    /// <summary>Refuses a path to which no report may be written, before any work is done for the report.</summary>
    /// <param name="path">Where the report is to be written.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether an earlier report stands there.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ReportFormatUnknown</c>: neither <c>.json</c> nor <c>.md</c>; <c>ReportWouldOverwrite</c>: a link or another file stands there; <c>ReportNotWritten</c>: what stands there cannot be read.
    /// </exception>
    public static Task<bool> EnsureReplaceableAsync(string path, CancellationToken cancellationToken = default) => Files.EnsureReplaceableAsync(path, cancellationToken);

    /// <summary>Writes a report; the extension chooses the form. The file appears whole or not at all, and replaces nothing but an earlier report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="path">A file that ends in <c>.json</c> or <c>.md</c>; missing folders are made.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ComfyAuthException"><c>ReportFormatUnknown</c>: another extension; <c>ReportWouldOverwrite</c>: a link or another file stands there; <c>ReportNotWritten</c>.</exception>
    public static Task WriteAsync(TokenReport report, string path, CancellationToken cancellationToken = default) =>
        Files.WriteAsync(path, Files.FormOf(path) == Json ? JsonSerializer.Serialize(report, ReportJsonContext.Default.TokenReport) + "\n" : ToMarkdown(report), cancellationToken);

    private static string ToMarkdown(TokenReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Title}\n\n{report.CreatedAt:yyyy-MM-dd HH:mm:ss K}\n");
        foreach (var stack in report.Observations.GroupBy(observation => observation.Stack))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {Escape(stack.Key)}\n\n");
            text.Append("| Location | Role | State | Found | Expected | Evidence |\n| --- | --- | --- | --- | --- | --- |\n");
            foreach (var seen in stack)
            {
                var role = seen.IsSource ? "Source" : seen.Role.ToString();
                text.Append(CultureInfo.InvariantCulture, $"| {Escape(seen.Location)} | {role} | {seen.State} | {seen.Fingerprint} | {seen.Expected} | {Escape(seen.Evidence)} |\n");
            }
        }

        text.Append("\n## Recommendations\n\n");
        if (report.Recommendations.Count == 0)
            text.Append("None: every place agrees with its source of truth.\n");
        foreach (var recommendation in report.Recommendations)
        {
            text.Append(CultureInfo.InvariantCulture, $"- **{recommendation.Urgency}**: {Escape(recommendation.Text)}\n");
            foreach (var location in recommendation.Locations)
                text.Append(CultureInfo.InvariantCulture, $"  - {Escape(location)}\n");
        }

        return text.ToString();
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
