using System.Globalization;
using System.Text;
using System.Text.Json;
using ComfyAuth.Installation;

namespace ComfyAuth.Reports;

/// <summary>Writes the report of an installation, as JSON for programs and as Markdown for people.</summary>
public static class InstallReportWriter
{
    private const string Title = "# Installation of ";

    private static readonly ReportFile File = new(
        "an installation",
        ReportForm.BeginningWith(".json", "{\n  \"version\": "),
        ReportForm.BeginningWith(".md", Title));

    /// <summary>The files that a report is written to.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="startedAt">When the run began; names the files in local time.</param>
    public static IReadOnlyList<string> PathsOf(string folder, DateTimeOffset startedAt)
    {
        var name = Path.GetFullPath(Path.Combine(folder, $"installation-qwen-{startedAt.ToLocalTime().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}"));
        return [name + ".json", name + ".md"];
    }

    /// <summary>Writes a report to its files; each appears whole or not at all.</summary>
    /// <param name="report">The report.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>ReportNotWritten</c>, <c>ReportWouldOverwrite</c>.</exception>
    public static async Task WriteAsync(InstallReport report, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (var path in report.Files)
        {
            var isJson = path.EndsWith(".json", StringComparison.Ordinal);
            await File.WriteAsync(path, isJson ? JsonSerializer.Serialize(report, ReportJsonContext.Default.InstallReport) + "\n" : Markdown(report), stop).ConfigureAwait(false);
        }
    }

    private static string Markdown(InstallReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Title}{report.Service}\n");
        return text.ToString();
    }
}
