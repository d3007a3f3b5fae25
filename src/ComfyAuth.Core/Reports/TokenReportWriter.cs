using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ComfyAuth.Reports;

/// <summary>Writes an audit as JSON or as Markdown.</summary>
public static class TokenReportWriter
{
    private const string Json = ".json";
    private const string Markdown = ".md";

    /// <summary>Whether a file's extension says in which form a report is wanted.</summary>
    /// <param name="path">The file's name.</param>
    /// <returns>True for <c>.json</c> and <c>.md</c>, in any case.</returns>
    public static bool IsKnown(string path) => FormatOf(path) is Json or Markdown;

    /// <summary>Refuses a path that says no form, before any work is done for the report.</summary>
    /// <param name="path">Where the report is to be written.</param>
    /// <exception cref="ComfyAuthException"><c>ReportFormatUnknown</c>: neither <c>.json</c> nor <c>.md</c>.</exception>
    public static void EnsureFormat(string path)
    {
        if (!IsKnown(path))
            throw new ComfyAuthException("ReportFormatUnknown", $"'{path}' does not say in which form the report is wanted.", "End its name in .json or .md.");
    }

    /// <summary>Writes a report; the extension chooses the form. The file appears whole or not at all.</summary>
    /// <param name="report">The report.</param>
    /// <param name="path">A file that ends in <c>.json</c> or <c>.md</c>; missing folders are made.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ComfyAuthException"><c>ReportFormatUnknown</c>: another extension; <c>ReportNotWritten</c>.</exception>
    public static async Task WriteAsync(TokenReport report, string path, CancellationToken cancellationToken = default)
    {
        EnsureFormat(path);
        var text = FormatOf(path) == Json ? JsonSerializer.Serialize(report, ReportJsonContext.Default.TokenReport) + "\n" : ToMarkdown(report);

        var staged = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            await File.WriteAllTextAsync(staged, text, cancellationToken).ConfigureAwait(false);
            File.Move(staged, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ComfyAuthException("ReportNotWritten", $"The report '{path}' cannot be written: {error.Message}", "Choose another place.", error);
        }
        finally
        {
            if (File.Exists(staged))
                File.Delete(staged);
        }
    }

    private static string FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant();

    private static string ToMarkdown(TokenReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Credential audit\n\n{report.CreatedAt:yyyy-MM-dd HH:mm:ss K}\n");
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
