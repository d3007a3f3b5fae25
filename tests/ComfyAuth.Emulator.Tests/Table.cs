namespace ComfyAuth.Emulator.Tests;

/// <summary>A table beside the tests: a line for each case, its cells between tabs, the first line names them.</summary>
internal static class Table
{
    public static IEnumerable<string[]> Rows(string path) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, path)).Skip(1).Where(line => line.Length > 0).Select(line => line.Split('\t'));
}
