using System.IO.Enumeration;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Chooses checks by their ids and categories.</summary>
internal static class CheckSelection
{
    /// <summary>Those that are asked for.</summary>
    public static IReadOnlyList<Check> Of(IReadOnlyList<Check> checks, ValidationOptions options)
    {
        var ids = checks.Select(check => check.Id).ToList();
        var categories = checks.Select(check => check.Category).Distinct().ToList();
        Know(options.Ids, ids);
        Know(options.Categories, categories);
        Know(options.Exclude, [.. ids, .. categories]);
        return
        [
            .. checks.Where(check =>
                (options.Ids is null or { Count: 0 } || IsAny(options.Ids, check.Id))
                && (options.Categories is null or { Count: 0 } || IsAny(options.Categories, check.Category))
                && !(options.Exclude is not null && (IsAny(options.Exclude, check.Id) || IsAny(options.Exclude, check.Category)))),
        ];
    }

    /// <summary>The chosen checks and what they build on, in the order of all.</summary>
    public static IEnumerable<Check> WithGrounds(IReadOnlyList<Check> checks, IReadOnlyList<Check> chosen)
    {
        var wanted = new HashSet<Check>();
        foreach (var check in chosen)
            Want(check);
        return checks.Where(wanted.Contains);

        void Want(Check check)
        {
            if (!wanted.Add(check))
                return;
            foreach (var id in check.DependsOn)
                Want(checks.First(other => other.Id == id));
        }
    }

    /// <summary>A name that nothing has would silently choose nothing.</summary>
    private static void Know(IReadOnlyCollection<string>? patterns, List<string> names)
    {
        foreach (var pattern in patterns ?? [])
        {
            if (!names.Exists(name => Matches(pattern, name)))
                throw new ComfyAuthException("CheckNotFound", $"There is no check '{pattern}'.", $"{NearestName.Suggest(pattern, names)}See docs/checks.md for all of them; * and ? are wildcards.");
        }
    }

    private static bool IsAny(IReadOnlyCollection<string> patterns, string name) => patterns.Any(pattern => Matches(pattern, name));

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name);
}
