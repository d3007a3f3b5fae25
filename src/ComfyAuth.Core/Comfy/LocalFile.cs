using ComfyAuth.Files;

namespace ComfyAuth.Comfy;

/// <summary>Reads files that the user names, within bounds.</summary>
internal static class LocalFile
{
    /// <summary>The bytes of a file.</summary>
    /// <exception cref="ComfyAuthException">It cannot be read, is no regular file, or is larger than that: <c>LocalFileUnreadable</c>.</exception>
    public static async Task<byte[]> ReadAsync(string path, int largest, CancellationToken stop)
    {
        try
        {
            if (Directory.Exists(path))
                throw Unreadable("is a folder");

            if (RegularFile.IsSomethingElse(path))
                throw Unreadable("is a device, pipe or socket");
            if (new FileInfo(path).Length > largest)
                throw Unreadable($"is larger than {ByteSize.Format(largest)}");
            return await File.ReadAllBytesAsync(path, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ComfyAuthException("LocalFileUnreadable", $"'{path}' cannot be read: {error.Message.TrimEnd('.')}.", "Check the path and its permissions.", error);
        }

        ComfyAuthException Unreadable(string why) => new("LocalFileUnreadable", $"'{path}' {why}.", "Check that it is the right file.");
    }
}
