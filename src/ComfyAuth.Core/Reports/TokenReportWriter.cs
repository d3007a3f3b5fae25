using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ComfyAuth.Reports;

/// <summary>Writes an audit as JSON or as Markdown.</summary>
public static class TokenReportWriter
{
    private const string Json = ".json";
    private const string Markdown = ".md";
    private const string Title = "# Credential audit";

    /// <summary>Whether a file's extension says in which form a report is wanted.</summary>
    /// <param name="path">The file's name.</param>
    /// <returns>True for <c>.json</c> and <c>.md</c>, in any case.</returns>
    public static bool IsKnown(string path) => FormatOf(path) is Json or Markdown;

    /// <summary>Refuses a path to which no report may be written, before any work is done for the report.</summary>
    /// <param name="path">Where the report is to be written.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether an earlier report stands there.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ReportFormatUnknown</c>: neither <c>.json</c> nor <c>.md</c>; <c>ReportWouldOverwrite</c>: a link or another file stands there; <c>ReportNotWritten</c>: what stands there cannot be read.
    /// </exception>
    public static async Task<bool> EnsureReplaceableAsync(string path, CancellationToken cancellationToken = default)
    {
        if (!IsKnown(path))
            throw new ComfyAuthException("ReportFormatUnknown", $"'{path}' does not say in which form the report is wanted.", "End its name in .json or .md.");

        try
        {
            var isThere = IsThere(path);
            if (isThere && !await IsReportAsync(path, cancellationToken).ConfigureAwait(false))
                throw new ComfyAuthException("ReportWouldOverwrite", $"'{path}' is there already and is no report of an audit.", "Choose another name.");
            return isThere;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, error);
        }
    }

    /// <summary>Writes a report; the extension chooses the form. The file appears whole or not at all, and replaces nothing but an earlier report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="path">A file that ends in <c>.json</c> or <c>.md</c>; missing folders are made.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ComfyAuthException"><c>ReportFormatUnknown</c>: another extension; <c>ReportWouldOverwrite</c>: a link or another file stands there; <c>ReportNotWritten</c>.</exception>
    public static async Task WriteAsync(TokenReport report, string path, CancellationToken cancellationToken = default)
    {
        var replaces = await EnsureReplaceableAsync(path, cancellationToken).ConfigureAwait(false);
        var text = FormatOf(path) == Json ? JsonSerializer.Serialize(report, ReportJsonContext.Default.TokenReport) + "\n" : ToMarkdown(report);

        var staged = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            await File.WriteAllTextAsync(staged, text, cancellationToken).ConfigureAwait(false);
            File.Move(staged, path, overwrite: replaces);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, error);
        }
        finally
        {
            if (File.Exists(staged))
                File.Delete(staged);
        }
    }

    private static ComfyAuthException NotWritten(string path, Exception error) =>
        new("ReportNotWritten", $"The report '{path}' cannot be written: {error.Message}", "Choose another place.", error);

    private static string FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant();

    /// <summary>Whether a file or a link stands there, even a link to nothing; a folder cannot be overwritten anyway.</summary>
    private static bool IsThere(string path) => new FileInfo(path) is var file && (file.Exists || file.LinkTarget is not null);

    private static async Task<bool> IsReportAsync(string path, CancellationToken cancellationToken)
    {
        // A pipe has no length, and reading one would wait.
        if (new FileInfo(path) is not { LinkTarget: null, Length: > 0 })
            return false;

        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 4096, useAsync: true);
        await using var scope = stream.ConfigureAwait(false);
        if (FormatOf(path) == Markdown)
        {
            var start = new byte[Title.Length + 1];
            var length = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(start, 0, length) is Title + "\n" or Title + "\r" or Title;
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(stream, ReportJsonContext.Default.TokenReport, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

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
