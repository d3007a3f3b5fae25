using System.Text.RegularExpressions;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The documents say what the code does, and lead where they point.</summary>
public sealed partial class DocumentationTests
{
    public static TheoryData<string> Documents => [.. Repository.Documents];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_between_documents_lead_somewhere(string document)
    {
        var folder = Path.GetDirectoryName(Repository.PathOf(document))!;
        foreach (Match link in Link().Matches(Fence().Replace(Repository.Read(document), "")))
        {
            var (path, anchor) = (link.Groups["path"].Value, link.Groups["anchor"].Value);
            var target = path.Length == 0 ? Repository.PathOf(document) : Path.GetFullPath(path, folder);
            Assert.True(Path.Exists(target), $"{document} links to {path}, which does not exist.");
            if (anchor.Length > 0)
                Assert.True(Anchors(target).Contains(anchor), $"{document} links to {path}#{anchor}, which does not exist.");
        }
    }

    [Fact]
    public void Every_state_of_a_token_is_described() =>
        Assert.Equal(Enum.GetNames<TokenState>(), Rows("docs/tokens.md", "States"));

    [Fact]
    public void Every_error_is_described()
    {
        var thrown = ErrorsIn("src");
        Assert.Equal(thrown, Rows("docs/errors.md", "Errors"));

        var categories = Categories().Select(category => category.Code);
        Assert.Equal(ErrorsIn("src/ComfyAuth.Core").Union(ErrorsIn("src/ComfyAuth.PowerShell")).Order(StringComparer.Ordinal), categories.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_error_has_a_remedy_and_the_category_that_PowerShell_gives_it()
    {
        var described = ErrorRow().Matches(Repository.Read("docs/errors.md")).Select(match => (Code: match.Groups[1].Value, Category: match.Groups[2].Value)).ToList();

        Assert.Equal(Rows("docs/errors.md", "Errors"), described.Select(error => error.Code));
        Assert.Equal(Categories().OrderBy(category => category.Code, StringComparer.Ordinal), described.Where(error => error.Category.Length > 0));
    }

    [Fact]
    public void Every_package_is_explained()
    {
        var text = Repository.Read("docs/dependencies.md");
        var explained = TableRow().Matches(text).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
        var used = PackageVersion().Matches(Repository.Read("Directory.Packages.props")).Select(match => match.Groups[1].Value);
        Assert.Equal(used.Order(StringComparer.Ordinal), explained);
    }

    /// <summary>The first cells of a section's tables.</summary>
    internal static IReadOnlyList<string> Rows(string document, string section)
    {
        var text = Repository.Read(document);
        var start = Regex.Match(text, $@"^#+ {Regex.Escape(section)}$", RegexOptions.Multiline);
        Assert.True(start.Success, $"{document} has no section '{section}'.");
        var rest = text[(start.Index + start.Length)..];
        var end = rest.IndexOf("\n#", StringComparison.Ordinal);
        return [.. TableRow().Matches(end < 0 ? rest : rest[..end]).Select(match => match.Groups[1].Value)];
    }

    private static IEnumerable<(string Code, string Category)> Categories() =>
        CategoryOfCode().Matches(Repository.Read("src/ComfyAuth.PowerShell/ErrorRecords.cs")).Select(match => (match.Groups[1].Value, match.Groups[2].Value));

    private static List<string> ErrorsIn(string folder) =>
    [
        .. Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(Repository.Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
            .SelectMany(path => ThrownCode().Matches(File.ReadAllText(path)))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What a heading is called in a link, as code hosts make it.</summary>
    private static HashSet<string> Anchors(string path) =>
    [
        .. Heading().Matches(Fence().Replace(File.ReadAllText(path).ReplaceLineEndings("\n"), ""))
            .Select(match => NotInAnchor().Replace(match.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-')),
    ];

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)#]*)(?:#(?<anchor>[^)]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    // A code is the first argument and a message follows it: a text, one made by the invariant culture, or one chosen of two.
    [GeneratedRegex(@"(?<!SuppressMessage)\(\s*""([A-Z][a-z]+(?:[A-Z][A-Za-z]*)+)"",\s*(?:\$?""|message|string\.Create\(|[a-z]\w* is null \? \$?"")")]
    private static partial Regex ThrownCode();

    [GeneratedRegex(@"\[""(\w+)""\] = ErrorCategory\.(\w+)")]
    private static partial Regex CategoryOfCode();

    // Code, when, what to do, category; the command line's own errors have none.
    [GeneratedRegex(@"^\| `([^`]+)` \| [^|\s][^|]* \| [^|\s][^|]* \| (?:`(\w+)`)? ?\|", RegexOptions.Multiline)]
    private static partial Regex ErrorRow();

    [GeneratedRegex(@"<PackageVersion Include=""([^""]+)""")]
    private static partial Regex PackageVersion();
}
