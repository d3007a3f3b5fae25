namespace ComfyAuth.Tests.Guidance;

/// <summary>The tables in data/: tab-separated, # and a blank start a comment line. ⏎ stands for LF, ⇥ for a tab, ∅ for an empty cell.</summary>
internal static class GuidanceTables
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Guidance", "data");

    public static IEnumerable<string[]> Rows(string name) =>
        File.ReadLines(Path.Combine(Folder, name)).Skip(1).Select(line => line.Split('\t').Select(Cell).ToArray());

    private static string Cell(string cell) => cell == "∅" ? "" : cell.Replace('⏎', '\n').Replace('⇥', '\t');
}
