namespace ComfyAuth.Pester.Tests;

/// <summary>Where the suites are.</summary>
internal static class Repository
{
    public static string Suites { get; } = Path.Combine(Root(), "tests", "pester");

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ComfyAuth.psd1")))
            folder = folder.Parent ?? throw new InvalidOperationException($"No repository around '{AppContext.BaseDirectory}'.");
        return folder.FullName;
    }
}
