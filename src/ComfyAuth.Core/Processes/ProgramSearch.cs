namespace ComfyAuth.Processes;

/// <summary>Finds programs as a shell would, and nowhere else: .NET itself also looks beside this process and in the current folder.</summary>
internal static class ProgramSearch
{
    /// <summary>The files of that name in the folders of a search path, the first first.</summary>
    /// <param name="name">The name, without an extension.</param>
    /// <param name="searchPath">The folders, separated as in <c>PATH</c>; this process's <c>PATH</c> if not given. What is relative is left out.</param>
    public static IEnumerable<string> Locate(string name, string? searchPath = null) => (searchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Where(Path.IsPathFullyQualified)
        // On Windows only real programs: a batch file would interpret its arguments once more.
        .Select(folder => Path.GetFullPath(Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name)))
        .Distinct()
        .Where(File.Exists);
}
