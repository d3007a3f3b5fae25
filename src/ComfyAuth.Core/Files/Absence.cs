namespace ComfyAuth.Files;

/// <summary>Tells what is not there from what may not be seen: for .NET, neither exists.</summary>
internal static class Absence
{
    /// <summary>Makes sure that nothing stands at a path, links followed; to be asked where .NET says that nothing exists.</summary>
    /// <exception cref="ComfyAuthException"><c>FileAccessDenied</c>: this account may not look there; <c>FileOperationFailed</c>; <c>LinkLoop</c>.</exception>
    public static void Ensure(string path)
    {
        try
        {
            _ = File.GetAttributes(RealPath.Of(path));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // It is not there.
        }
        catch (UnauthorizedAccessException error)
        {
            throw NotSeen(path, error);
        }
        catch (IOException error)
        {
            throw FileErrors.Translate(path, error);
        }
        catch (ComfyAuthException error) when (error.Code == "FileAccessDenied")
        {
            throw NotSeen(path, error);
        }
    }

    private static ComfyAuthException NotSeen(string path, Exception error) => new(
        "FileAccessDenied",
        $"Whether there is '{path}' cannot be seen: permission denied.",
        "Let this account enter the folders above it, or run as their owner.",
        error);
}
