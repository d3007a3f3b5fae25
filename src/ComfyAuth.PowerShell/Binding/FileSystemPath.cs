using System.Management.Automation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Turns what the user gave for <c>-Path</c> or <c>-LiteralPath</c> into paths of the file system.</summary>
public static class FileSystemPath
{
    /// <summary>
    /// Resolves paths through PowerShell: relative to its current location, through its drives, with wildcards unless
    /// literal. Belongs on the pipeline thread, so call it in <see cref="Commands.CmdletPipe.AskAsync"/>.
    /// </summary>
    /// <param name="cmdlet">The cmdlet the paths were given to.</param>
    /// <param name="path">A path as the user gave it, or <see langword="null"/> for the current location.</param>
    /// <param name="literal">Whether <c>*</c>, <c>?</c> and <c>[</c> stand for themselves. A literal path need not exist.</param>
    /// <returns>Full paths.</returns>
    /// <exception cref="ComfyAuthException">Nothing is there, or it is not in the file system.</exception>
    public static IReadOnlyList<string> Resolve(PSCmdlet cmdlet, string? path, bool literal = false)
    {
        ArgumentNullException.ThrowIfNull(cmdlet);

        var location = cmdlet.SessionState.Path;
        path ??= location.CurrentLocation.Path;
        if (string.IsNullOrWhiteSpace(path))
            throw new ComfyAuthException("PathInvalid", "The path is empty.", "Give a folder or a file, or no path at all for the current location.");

        try
        {
            ProviderInfo provider;
            var found = literal
                ? [location.GetUnresolvedProviderPathFromPSPath(path, out provider, out _)]
                : cmdlet.GetResolvedProviderPathFromPSPath(path, out provider);

            if (provider.Name != "FileSystem")
            {
                throw new ComfyAuthException(
                    "PathNotFileSystem",
                    $"'{path}' is in the provider '{provider.Name}', not in the file system.",
                    "Give a folder or a file, or go to one with Set-Location first.");
            }

            return found.Count > 0 ? found : throw NotFound(path);
        }
        catch (Exception exception) when (exception is ItemNotFoundException or System.Management.Automation.DriveNotFoundException)
        {
            throw NotFound(path, exception);
        }
        catch (Exception exception) when (exception is ProviderNotFoundException or PSNotSupportedException or PSArgumentException or WildcardPatternException)
        {
            throw new ComfyAuthException("PathInvalid", $"'{path}' is not a path: {exception.Message}", "Give a folder or a file.", exception);
        }
    }

    private static ComfyAuthException NotFound(string path, Exception? cause = null)
        => new(
            "PathNotFound",
            $"'{path}' does not exist.",
            WildcardPattern.ContainsWildcardCharacters(path) ? "Check the path; give it as -LiteralPath if it holds no wildcards." : "Check the path.",
            cause);
}
