using System.Text.Json;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>Reads a validation report back from JSON.</summary>
public static class ValidationReportReader
{
    /// <summary>Reads a report.</summary>
    /// <param name="path">A file that <see cref="ValidationReportWriter"/> wrote as JSON.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The report.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ReportUnreadable</c>: there is no such file, or it may not be read; <c>ReportInvalid</c>: it is something else, or damaged;
    /// <c>ReportTooNew</c>: a newer version of the module wrote it.
    /// </exception>
    public static async Task<ValidationReport> ReadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            // A pipe has no length, and reading one would wait.
            if (new FileInfo(path).Length == 0)
                throw Invalid(path, "It is empty.");

            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 4096, useAsync: true);
            await using var scope = stream.ConfigureAwait(false);
            return await ReadAsync(stream, path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ComfyAuthException("ReportUnreadable", $"The report '{path}' cannot be read: {error.Message}", "Check the path and its permissions.", error);
        }
    }

    /// <summary>Whether a stream holds a report that this version can read.</summary>
    internal static async Task<bool> IsReportAsync(Stream stream, CancellationToken stop)
    {
        try
        {
            await ReadAsync(stream, "", stop).ConfigureAwait(false);
            return true;
        }
        catch (ComfyAuthException)
        {
            return false;
        }
    }

    private static async Task<ValidationReport> ReadAsync(Stream stream, string path, CancellationToken stop)
    {
        try
        {
            // What a newer version writes may not fit the shape at all.
            var header = await JsonSerializer.DeserializeAsync(stream, ReportHeader.Json.Default.ReportHeader, stop).ConfigureAwait(false);
            if (header?.Version is not >= 1)
                throw Invalid(path, "It does not say which version it has.");
            if (header.Version > ValidationReport.CurrentVersion)
                throw new ComfyAuthException("ReportTooNew", $"The report '{path}' has version {header.Version}; this module reads up to {ValidationReport.CurrentVersion}.", "Use the version of the module that wrote it, or a later one.");

            stream.Position = 0;
            var report = (await JsonSerializer.DeserializeAsync(stream, ReportJsonContext.Default.ValidationReport, stop).ConfigureAwait(false))!;
            report = ValidationReportTexts.Map(report, text => text);
            return Flaw(report) is { } flaw ? throw Invalid(path, flaw) : report;
        }
        catch (JsonException error)
        {
            throw Invalid(path, error.LineNumber is { } line ? $"Line {line + 1} does not fit." : "A part is missing.", error);
        }
        catch (InvalidDataException error)
        {
            throw Invalid(path, error.Message, error);
        }
    }

    /// <summary>What the shape alone does not rule out.</summary>
    private static string? Flaw(ValidationReport report)
    {
        var scores = report.Components.SelectMany(component => new[] { component.Score, component.Coverage }).Append(report.Score).Append(report.Coverage).Append(report.Baseline?.Score);
        if (scores.Any(score => score is < 0 or > 100))
            return "A score is not from 0 to 100.";

        // An enumeration is read from a number too.
        var known = Enum.IsDefined(report.Verdict)
            && Enum.IsDefined(report.Baseline?.Verdict ?? default)
            && report.Components.All(component => Enum.IsDefined(component.Component) && Enum.IsDefined(component.Status))
            && report.Conformity.All(entry => Enum.IsDefined(entry.Area) && Enum.IsDefined(entry.Conformity))
            && report.Recommendations.All(each => Enum.IsDefined(each.Urgency))
            && report.Checks.All(result => Enum.IsDefined(result.Status));
        return known ? null : "A verdict or a status is not known.";
    }

    private static ComfyAuthException Invalid(string path, string flaw, Exception? cause = null) =>
        new("ReportInvalid", $"'{path}' is no validation report, or it is damaged. {flaw}", "Give a .json file that a validation wrote.", cause);
}
