namespace ComfyAuth.Files;

/// <summary>Reads files where anybody may have put something else: whatever it is, reading it ends soon.</summary>
internal static class RegularFile
{
    /// <summary>Whether a folder, device, pipe or socket is there, at the end of links too. What cannot be seen is left to who opens it.</summary>
    /// <remarks>To open a pipe is to wait for somebody who writes, and a device may never end.</remarks>
    public static bool IsSomethingElse(string path) =>
        OperatingSystem.IsWindows() ? Directory.Exists(path) : Posix.IsRegularFile(path) == false;

    /// <summary>Opens a file whatever others do with it meanwhile.</summary>
    /// <exception cref="IOException">It is no regular file, or cannot be opened.</exception>
    public static FileStream OpenRead(string path)
    {
        if (IsSomethingElse(path))
            throw new IOException("It is a folder, device, pipe or socket, not a file.");
        return new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>All that a file holds.</summary>
    /// <param name="path">The file.</param>
    /// <param name="largest">How many bytes it may have.</param>
    /// <exception cref="IOException">As <see cref="OpenRead"/>, or it is larger.</exception>
    public static byte[] ReadBytes(string path, int largest)
    {
        using var file = OpenRead(path);
        if (file.Length > largest)
            throw new IOException($"It is larger than {ByteSize.Format(largest)}.");
        var bytes = new byte[file.Length];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
