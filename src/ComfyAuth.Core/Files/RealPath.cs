namespace ComfyAuth.Files;

/// <summary>Follows links, whether or not the last part exists.</summary>
internal static class RealPath
{
    // As many as Linux follows (man 7 path_resolution).
    private const int MaximumLinks = 40;

    private static readonly char[] Separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];

    /// <summary>How paths are told apart here.</summary>
    public static StringComparer Comparer { get; } =
        OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>The full path in which no part is a link; what a dangling link points at is taken as it stands.</summary>
    /// <exception cref="ComfyAuthException"><c>LinkLoop</c>.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path);
        string real = Path.GetPathRoot(full)!;
        var rest = new Stack<string>();
        Push(full[real.Length..]);

        int links = 0;
        while (rest.TryPop(out string? part))
        {
            // Only link targets still hold these. They must be walked, not erased from the text:
            // the folder above a link's target is not the folder above the link.
            if (part == ".")
                continue;
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            string next = Path.Combine(real, part);
            string? target = FileErrors.On(path, () => new FileInfo(next).LinkTarget);
            if (target is null)
            {
                real = next;
                continue;
            }

            if (++links > MaximumLinks)
            {
                throw new ComfyAuthException(
                    "LinkLoop",
                    $"{path} is a link that leads back to itself.",
                    $"Look at {next} and let it point at a file.");
            }

            string targetRoot = Path.GetPathRoot(target) ?? "";
            if (targetRoot.Length > 0)
                real = targetRoot;
            Push(target[targetRoot.Length..]);
        }

        return real;

        void Push(string parts)
        {
            foreach (string part in Enumerable.Reverse(parts.Split(Separators, StringSplitOptions.RemoveEmptyEntries)))
                rest.Push(part);
        }
    }

    /// <summary>The path relative to a folder, or null when it does not lie inside.</summary>
    public static string? Inside(string folder, string path)
    {
        string relative = Path.GetRelativePath(folder, path);
        return Path.IsPathRooted(relative) || relative == ".." || relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? null
            : relative;
    }
}
