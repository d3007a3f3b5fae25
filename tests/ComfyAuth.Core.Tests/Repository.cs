namespace ComfyAuth.Tests;

/// <summary>The folder that everything is in: the tests compare documents with code.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The documents that are part of the project, as paths relative to the root.</summary>
    public static IEnumerable<string> Documents { get; } =
    [
        .. new[] { ".", "docs", "examples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md"))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
    ];

    public static string PathOf(string relative) => Path.GetFullPath(relative, Root);

    public static string Read(string relative) => File.ReadAllText(PathOf(relative)).ReplaceLineEndings("\n");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ComfyAuth.psd1")))
            folder = folder.Parent ?? throw new InvalidOperationException($"No repository around '{AppContext.BaseDirectory}'.");
        return folder.FullName;
    }
}
