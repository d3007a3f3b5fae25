using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Stacks;

/// <summary>Reads the YAML files of a stack's root, which anybody may have put there: whatever they are, reading them ends soon.</summary>
internal static class StackFileText
{
    // Four bytes for each of as many characters as are parsed.
    private const int MaximumBytes = 4_000_000;

    /// <summary>The text of a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="ComfyAuthException"><c>StackFileUnreadable</c>.</exception>
    public static string Read(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            if (file.Length > MaximumBytes)
                throw Unreadable(path, "it is larger than 4,000,000 bytes", null);
            using var reader = new StreamReader(file, Encoding.UTF8);
            return reader.ReadToEnd();
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw Unreadable(path, error.Message.TrimEnd('.'), error);
        }
    }

    private static ComfyAuthException Unreadable(string path, string why, Exception? error) =>
        new("StackFileUnreadable", $"'{path}' cannot be read: {why}.", "Check that it is the right file, and its permissions.", error);
}
