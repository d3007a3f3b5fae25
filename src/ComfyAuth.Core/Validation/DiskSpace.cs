namespace ComfyAuth.Validation;

/// <summary>The room on the disk of a folder.</summary>
/// <param name="What">The folder, for a sentence.</param>
/// <param name="Free">Bytes that this user may still write there.</param>
/// <param name="Missing">Bytes that are still to be written there.</param>
internal sealed record DiskSpace(string What, long Free, long Missing = 0)
{
    /// <summary>Looks; nothing where the folder, or the disk that it is on, cannot be seen from here.</summary>
    public static IEnumerable<DiskSpace> Of(string what, string folder, long missing = 0)
    {
        long free;
        try
        {
            // A folder that is yet to be made will be on the disk of the one above it.
            while (!Directory.Exists(folder) && missing > 0 && Path.GetDirectoryName(folder) is { } above)
                folder = above;
            if (!Directory.Exists(folder))
                yield break;
            free = new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            yield break;
        }

        yield return new($"{what}, {folder},", free, missing);
    }
}
