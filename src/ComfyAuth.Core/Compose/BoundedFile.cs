using ComfyAuth.Files;

namespace ComfyAuth.Compose;

/// <summary>Reads files whose names somebody else wrote down: whatever they are, reading ends soon.</summary>
internal static class BoundedFile
{
    private const int MaximumSize = 1_000_000;

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="ComfyAuthException"><c>ComposeFileUnreadable</c>.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            if (Directory.Exists(path))
                throw Unreadable(path, "is a folder");
            if (RegularFile.IsSomethingElse(path))
                throw Unreadable(path, "is a device, pipe or socket");

            using var file = RegularFile.OpenRead(path);
            var bytes = new byte[Math.Min(file.Length, MaximumSize) + 1];
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return count <= MaximumSize ? bytes[..count] : throw Unreadable(path, "is larger than 1,000,000 bytes");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ComfyAuthException("ComposeFileUnreadable", $"'{path}' cannot be read: {error.Message.TrimEnd('.')}.", "Check the path and its permissions.", error);
        }
    }

    private static ComfyAuthException Unreadable(string path, string why) =>
        new("ComposeFileUnreadable", $"'{path}' {why}.", "Check that it is the right file.");
}
