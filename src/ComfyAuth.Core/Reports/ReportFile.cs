using System.Text;

namespace ComfyAuth.Reports;

/// <summary>Files of reports: each appears whole or not at all, and replaces nothing but an earlier report of its kind.</summary>
/// <param name="kind">What is reported, to end the sentence 'is no report of'.</param>
/// <param name="forms">The forms that there are.</param>
internal sealed class ReportFile(string kind, params IReadOnlyList<ReportForm> forms)
{
    // What .NET gives for EEXIST, and for ERROR_FILE_EXISTS.
    private const int FileExists = 17;
    private const int FileExistsOnWindows = unchecked((int)0x80070050);

    /// <summary>The extensions, as a sentence names them: <c>.json, .md or .html</c>.</summary>
    public string Extensions { get; } = $"{string.Join(", ", forms.SkipLast(1).Select(form => form.Extension))} or {forms[^1].Extension}";

    /// <summary>The form that a path asks for; null where it asks for none.</summary>
    public ReportForm? FormOf(string path) => forms.FirstOrDefault(form => form.Extension.Equals(Path.GetExtension(path), StringComparison.OrdinalIgnoreCase));

    /// <summary>Refuses a path to which no report may be written.</summary>
    /// <returns>Whether an earlier report stands there.</returns>
    /// <exception cref="ComfyAuthException"><c>ReportFormatUnknown</c>, <c>ReportWouldOverwrite</c>, <c>ReportNotWritten</c>.</exception>
    public async Task<bool> EnsureReplaceableAsync(string path, CancellationToken stop)
    {
        var form = FormOf(path) ?? throw new ComfyAuthException("ReportFormatUnknown", $"'{path}' does not say in which form the report is wanted.", $"End its name in {Extensions}.");
        try
        {
            var isThere = IsThere(path);
            if (isThere && !await IsReportAsync(path, form, stop).ConfigureAwait(false))
                throw new ComfyAuthException("ReportWouldOverwrite", $"'{path}' is there already and is no report of {kind}.", "Choose another name.");
            return isThere;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, error);
        }
    }

    /// <summary>Writes a report; missing folders are made.</summary>
    /// <exception cref="ComfyAuthException">As <see cref="EnsureReplaceableAsync"/>.</exception>
    public async Task WriteAsync(string path, string text, CancellationToken stop)
    {
        var replaces = await EnsureReplaceableAsync(path, stop).ConfigureAwait(false);

        // Two that write the same report at once must not write into the same file.
        var staged = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            await File.WriteAllTextAsync(staged, text, stop).ConfigureAwait(false);
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

    /// <summary>Writes a report where nothing is yet; missing folders are made.</summary>
    /// <returns>Whether it was written; false where something stands there already, or somebody else is just writing there.</returns>
    /// <exception cref="ComfyAuthException"><c>ReportNotWritten</c>.</exception>
    public static async Task<bool> TryCreateAsync(string path, string text, CancellationToken stop)
    {
        // Who made this file has the name: to move a file to where none is yet is more than one step on Unix, and two could do it at once.
        var staged = $"{path}.tmp";
        var isClaimed = false;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var claim = new FileStream(staged, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 4096, useAsync: true);
            isClaimed = true;
            await using (claim.ConfigureAwait(false))
            {
                if (IsThere(path) || Directory.Exists(path))
                    return false;
                await claim.WriteAsync(Encoding.UTF8.GetBytes(text), stop).ConfigureAwait(false);
            }

            File.Move(staged, path);
            isClaimed = false;
            return true;
        }
        catch (IOException error) when (!isClaimed && error.HResult is (FileExists or FileExistsOnWindows) && Directory.Exists(Path.GetDirectoryName(staged)))
        {
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, error);
        }
        finally
        {
            if (isClaimed)
                File.Delete(staged);
        }
    }

    private static ComfyAuthException NotWritten(string path, Exception error) =>
        new("ReportNotWritten", $"The report '{path}' cannot be written: {error.Message}", "Choose another place.", error);

    /// <summary>Whether a file or a link stands there, even a link to nothing; a folder cannot be overwritten anyway.</summary>
    private static bool IsThere(string path) => new FileInfo(path) is var file && (file.Exists || file.LinkTarget is not null);

    private static async Task<bool> IsReportAsync(string path, ReportForm form, CancellationToken stop)
    {
        // A pipe has no length, and reading one would wait.
        if (new FileInfo(path) is not { LinkTarget: null, Length: > 0 })
            return false;

        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 4096, useAsync: true);
        await using var scope = stream.ConfigureAwait(false);
        return await form.IsReportAsync(stream, stop).ConfigureAwait(false);
    }
}
