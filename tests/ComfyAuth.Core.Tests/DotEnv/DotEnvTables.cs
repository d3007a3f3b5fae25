using System.Text;

namespace ComfyAuth.Tests.DotEnv;

/// <summary>
/// The tables in data/: tab-separated, # starts a comment line. In a cell, ⏎ stands for LF, ␍ for CR, ⇥ for a tab,
/// ⍽ for a byte order mark and ∅ for an empty cell.
/// </summary>
internal static class DotEnvTables
{
    public static IEnumerable<string[]> Rows(string name) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "DotEnv", "data", name))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('\t').Select(Cell).ToArray());

    public static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Cell(string cell) => cell == "∅" ? "" : cell
        .Replace('⏎', '\n').Replace('␍', '\r').Replace('⇥', '\t').Replace('⍽', '\uFEFF');
}
