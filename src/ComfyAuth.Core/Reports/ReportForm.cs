using System.Text;

namespace ComfyAuth.Reports;

/// <summary>A form that a report can have, chosen by the extension of its file.</summary>
/// <param name="Extension">In lower case, with the dot.</param>
/// <param name="IsReportAsync">Whether a file holds such a report, so that it may be replaced.</param>
internal sealed record ReportForm(string Extension, Func<Stream, CancellationToken, Task<bool>> IsReportAsync)
{
    /// <summary>A form whose reports all begin with the same lines.</summary>
    public static ReportForm BeginningWith(string extension, string beginning) => new(extension, async (stream, stop) =>
    {
        // Twice as much holds the beginning even where every line end has become two characters.
        var start = new byte[2 * Encoding.UTF8.GetByteCount(beginning)];
        var length = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        return Encoding.UTF8.GetString(start, 0, length).ReplaceLineEndings("\n").StartsWith(beginning, StringComparison.Ordinal);
    });
}
