using System.Globalization;
using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

/// <summary>
/// Twelve files that all tell the same generation: nine are rewritten each time, one of them through a link; one
/// also changes between private and public; one in a folder of its own comes and goes.
/// </summary>
public static class GenerationFiles
{
    private const int Lines = 100;

    public static IReadOnlyList<string> Names { get; } =
        [.. Enumerable.Range(0, 9).Select(index => $"file-{index}.env"), "link.env", "sub/private.env", "sub/sometimes.env"];

    public static void Create(string root)
    {
        Directory.CreateDirectory(Path.Combine(root, "sub"));
        foreach (string name in Names.SkipLast(1))
            File.WriteAllText(Path.Combine(root, name == "link.env" ? "sub/linked.env" : name), Content(0));
        File.CreateSymbolicLink(Path.Combine(root, "link.env"), "sub/linked.env");
    }

    public static void Change(FileTransaction transaction, int generation)
    {
        foreach (string name in Names.SkipLast(1))
            transaction.Write(name, Encoding.UTF8.GetBytes(Content(generation)), FileProtection.Keep);
        if (generation % 2 == 0)
            transaction.Delete(Names[^1]);
        else
            transaction.Write(Names[^1], Encoding.UTF8.GetBytes(Content(generation)), FileProtection.OwnerOnly);
        transaction.Protect("sub/private.env");
    }

    /// <summary>The generation each file tells; null for the one that is not there in even generations.</summary>
    /// <exception cref="InvalidDataException">A file is neither wholly old nor wholly new.</exception>
    public static IReadOnlyList<int?> Read(string root) => [.. Names.Select(name =>
    {
        string path = Path.Combine(root, name);
        if (!File.Exists(path))
            return name == Names[^1] ? (int?)null : throw new InvalidDataException($"{name} is missing.");

        string text = File.ReadAllText(path);
        return int.TryParse(text.Split('\n')[0], CultureInfo.InvariantCulture, out int generation) && text == Content(generation)
            ? generation
            : throw new InvalidDataException($"{name} is torn.");
    })];

    /// <summary>The one generation of all files, or null when they do not agree.</summary>
    public static int? Common(IReadOnlyList<int?> generations)
    {
        int first = generations[0]!.Value;
        return generations.SkipLast(1).All(generation => generation == first)
            && generations[^1] == (first % 2 == 0 ? null : first)
            ? first
            : null;
    }

    private static string Content(int generation) =>
        string.Concat(Enumerable.Repeat(generation.ToString(CultureInfo.InvariantCulture) + "\n", Lines));
}
