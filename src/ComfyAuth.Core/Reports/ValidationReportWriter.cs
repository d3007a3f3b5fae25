using System.Text.Json;
using ComfyAuth.Secrets;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>Writes a validation report as JSON, Markdown, HTML or JUnit XML. The same report gives the same bytes.</summary>
public static class ValidationReportWriter
{
    private static readonly (ReportForm Form, Func<ValidationReport, string> Render)[] Renderers =
    [
        (new(".json", ValidationReportReader.IsReportAsync), report => JsonSerializer.Serialize(report, ReportJsonContext.Default.ValidationReport) + "\n"),
        (ReportForm.BeginningWith(".md", MarkdownReport.Beginning), report => MarkdownReport.Of(ValidationReportTexts.Map(report, ReportText.Printable))),
        (ReportForm.BeginningWith(".html", HtmlReport.Beginning), report => HtmlReport.Of(ValidationReportTexts.Map(report, ReportText.Printable))),
        (ReportForm.BeginningWith(".xml", JUnitReport.Beginning), report => JUnitReport.Of(ValidationReportTexts.Map(report, ReportText.Printable))),
    ];

    private static readonly ReportFile Files = new("a validation", [.. Renderers.Select(renderer => renderer.Form)]);

    /// <summary>The extensions that choose a form, as a sentence names them.</summary>
    public static string Extensions => Files.Extensions;

    /// <summary>Whether a file's extension says in which form a report is wanted.</summary>
    /// <param name="path">The file's name.</param>
    /// <returns>True for <c>.json</c>, <c>.md</c>, <c>.html</c> and <c>.xml</c>, in any case.</returns>
    public static bool IsKnown(string path) => Files.FormOf(path) is not null;

    /// <summary>Refuses a path to which no report may be written, before any work is done for the report.</summary>
    /// <param name="path">Where the report is to be written.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether an earlier report stands there.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ReportFormatUnknown</c>: another extension; <c>ReportWouldOverwrite</c>: a link or another file stands there; <c>ReportNotWritten</c>: what stands there cannot be read.
    /// </exception>
    public static Task<bool> EnsureReplaceableAsync(string path, CancellationToken cancellationToken = default) => Files.EnsureReplaceableAsync(path, cancellationToken);

    /// <summary>Writes a report; the extension chooses the form. The file appears whole or not at all, and replaces nothing but an earlier report in the same form.</summary>
    /// <param name="report">The report.</param>
    /// <param name="path">A file that ends in <c>.json</c>, <c>.md</c>, <c>.html</c> or <c>.xml</c> (JUnit); missing folders are made.</param>
    /// <param name="redactor">Knows the secrets of the run: what a check should have kept to itself is taken out here.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ComfyAuthException">As <see cref="EnsureReplaceableAsync"/>.</exception>
    public static async Task WriteAsync(ValidationReport report, string path, SecretRedactor redactor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(redactor);
        await EnsureReplaceableAsync(path, cancellationToken).ConfigureAwait(false);
        await Files.WriteAsync(path, Render(report, Path.GetExtension(path), redactor), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A report as text.</summary>
    internal static string Render(ValidationReport report, string extension, SecretRedactor redactor) =>
        Renderers.First(renderer => renderer.Form == Files.FormOf(extension)).Render(ValidationReportTexts.Map(report, redactor.Redact));
}
