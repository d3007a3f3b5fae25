using System.Security.Cryptography;

namespace ComfyAuth.Files;

/// <summary>What a file holds, told by its SHA-256.</summary>
internal static class FileDigest
{
    /// <summary>Lower-case hexadecimal SHA-256 of the content.</summary>
    public static string Of(ReadOnlyMemory<byte> content) => Convert.ToHexString(SHA256.HashData(content.Span)).ToLowerInvariant();

    /// <summary>Lower-case hexadecimal SHA-256 of the file; null when there is none. The path must hold no link.</summary>
    /// <exception cref="ComfyAuthException"><c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, or it cannot be read.</exception>
    public static string? OfFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new ComfyAuthException(
                "TargetIsDirectory",
                $"{path} is a folder where a file belongs.",
                "Docker makes such a folder for a bind mount whose file is missing: stop the container, remove the folder, then run it again.");
        }

        return FileErrors.On(path, () =>
        {
            if (!File.Exists(path))
                return null;

            // Reading a pipe or a device might never end.
            if (!OperatingSystem.IsWindows() && Posix.Status(path) is { IsRegularFile: false })
            {
                throw new ComfyAuthException(
                    "TargetIsNotFile", $"{path} is a device, pipe or socket, not a file.", "Point the path or link at a regular file.");
            }

            try
            {
                using FileStream stream = RegularFile.OpenRead(path);
                return Convert.ToHexString(SHA256.HashData(stream)).ToLowerInvariant();
            }
            catch (FileNotFoundException)
            {
                return null;
            }
        });
    }
}
