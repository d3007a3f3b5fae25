using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Guidance;

/// <summary>Finds and reads the documents of a stack.</summary>
internal static class StackDocuments
{
    /// <summary>What is read of one document.</summary>
    public const int MaximumSize = 2_000_000;

    private static readonly string[] SkippedFolders = ["node_modules", "_backups"];
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// The <c>*.md</c> files below a folder, as paths relative to it with <c>/</c>, in ordinal order. Links are not followed: what
    /// they lead to inside the folder is found at its own place, what lies outside is not the stack's.
    /// </summary>
    public static IReadOnlyList<string> Find(string root, List<GuidanceGap> gaps, CancellationToken cancellationToken)
    {
        var documents = new List<string>();
        var folders = new Stack<string>([""]);
        while (folders.TryPop(out var folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                foreach (var entry in new DirectoryInfo(Path.Combine(root, folder)).EnumerateFileSystemInfos())
                {
                    if (entry.Name[0] == '.' || IsLink(entry))
                        continue;
                    var path = folder.Length == 0 ? entry.Name : $"{folder}/{entry.Name}";
                    if (entry is FileInfo)
                    {
                        if (entry.Name.EndsWith(".md", StringComparison.OrdinalIgnoreCase))
                            documents.Add(path);
                    }
                    else if (!IsHidden(entry) && !SkippedFolders.Contains(entry.Name, StringComparer.OrdinalIgnoreCase))
                    {
                        folders.Push(path);
                    }
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                gaps.Add(new(folder.Length == 0 ? "." : folder, error.Message));
            }
        }

        documents.Sort(StringComparer.Ordinal);
        return documents;
    }

    /// <summary>Reads a document as UTF-8, as UTF-16 with a byte order mark, or else as Latin-1.</summary>
    /// <returns>The text with <c>\n</c> at the ends of lines, null where it is none; and what could not be read, if anything.</returns>
    public static (string? Text, string? Gap) Read(string path)
    {
        try
        {
            // To open a pipe is to wait for somebody who writes.
            if (!OperatingSystem.IsWindows() && Posix.Status(path) is { IsRegularFile: false })
                return (null, "It is a device, pipe or socket.");

            using var file = RegularFile.OpenRead(path);
            var bytes = new byte[Math.Min(file.Length, MaximumSize) + 1];
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count <= MaximumSize)
                return Decode(bytes.AsSpan(0, count)) is { } text ? (text, null) : (null, "It is no text.");

            // A character may have been cut, but no line.
            var end = bytes.AsSpan(0, MaximumSize).LastIndexOf((byte)'\n') + 1;
            if (end == 0)
                return (null, "It has more than 2,000,000 bytes without a line's end.");
            return Decode(bytes.AsSpan(0, end)) is { } beginning
                ? (beginning, "Only its first 2,000,000 bytes were searched.")
                : (null, "It is no text.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return (null, error.Message);
        }
    }

    // On Windows, files in the cloud are reparse points too.
    private static bool IsLink(FileSystemInfo entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0 && entry.LinkTarget is not null;

    // An entry that cannot be looked at has every attribute. That it cannot is found out, and told, when it is opened.
    private static bool IsHidden(FileSystemInfo entry) => entry.Attributes != (FileAttributes)(-1) && (entry.Attributes & FileAttributes.Hidden) != 0;

    private static string? Decode(ReadOnlySpan<byte> bytes)
    {
        string text;
        if (bytes.StartsWith(Encoding.Unicode.Preamble))
            text = Encoding.Unicode.GetString(bytes[2..]);
        else if (bytes.StartsWith(Encoding.BigEndianUnicode.Preamble))
            text = Encoding.BigEndianUnicode.GetString(bytes[2..]);
        else
            text = DecodeBytes(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);

        if (text.Contains('\0', StringComparison.Ordinal))
            return null;
        return text.Contains('\r', StringComparison.Ordinal) ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') : text;
    }

    private static string DecodeBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }
}
