namespace ComfyAuth.Files;

/// <summary>Turns what the system says about a file into what is wrong, where, and what to do.</summary>
internal static class FileErrors
{
    public static bool IsFileError(Exception error) => error is IOException or UnauthorizedAccessException;

    public static void On(string path, Action operation) =>
        On(path, () =>
        {
            operation();
            return true;
        });

    public static T On<T>(string path, Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (Exception error) when (IsFileError(error))
        {
            throw Translate(path, error);
        }
    }

    public static ComfyAuthException Translate(string path, Exception error)
    {
        // .NET hides the number behind an UnauthorizedAccessException in its inner exception.
        int code = (error.InnerException ?? error).HResult;
        (string Id, string Message, string Remedy) found = OperatingSystem.IsWindows()
            ? (code & 0xFFFF) switch
            {
                39 or 112 => DiskFull(path),
                19 => ReadOnlyFileSystem(path),
                32 or 33 => FileBusy(path),
                _ => Other(path, error),
            }
            : code switch
            {
                28 => DiskFull(path),
                69 when OperatingSystem.IsMacOS() => DiskFull(path),
                122 when OperatingSystem.IsLinux() => DiskFull(path),
                30 => ReadOnlyFileSystem(path),
                16 => FileBusy(path),
                _ when IsSharingViolation(error) => FileBusy(path),
                _ => Other(path, error),
            };
        return new ComfyAuthException(found.Id, found.Message, found.Remedy, error);
    }

    /// <summary>Whether another handle keeps the file to itself.</summary>
    public static bool IsSharingViolation(Exception error) =>
        error is IOException && (OperatingSystem.IsWindows()
            ? (error.HResult & 0xFFFF) is 32 or 33
            : error.HResult == (OperatingSystem.IsLinux() ? 11 : 35));

    private static (string Id, string Message, string Remedy) DiskFull(string path) =>
        ("DiskFull", $"There is no space left to write {path}.", "Free some space on that disk (or raise the quota), then run it again.");

    private static (string Id, string Message, string Remedy) ReadOnlyFileSystem(string path) =>
        ("ReadOnlyFileSystem", $"{path} lies on a file system that is mounted read-only.", "Mount it writable, then run it again.");

    private static (string Id, string Message, string Remedy) FileBusy(string path) =>
        ("FileBusy",
            $"{path} cannot be replaced: a program holds it open, or it is a mount point.",
            "Close the program that uses it; in a container, change a bind-mounted file on the host instead.");

    private static (string Id, string Message, string Remedy) Other(string path, Exception error) =>
        error is UnauthorizedAccessException
            ? ("FileAccessDenied",
                $"{path} cannot be read or replaced: permission denied.",
                $"Give this account write permission on the file and on its folder {Path.GetDirectoryName(path)}, or run as their owner.")
            : ("FileOperationFailed",
                $"{path} cannot be read or replaced: {error.Message}",
                "Remove the cause, then run it again.");
}
