using System.Text.RegularExpressions;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>The checks that a stack brings along in its <c>.checks.yml</c>; <c>docs/custom-checks.md</c> describes the file.</summary>
public static partial class CustomChecks
{
    /// <summary>The file, relative to the stack's root.</summary>
    public const string FileName = ".checks.yml";

    /// <summary>The only version of the format so far.</summary>
    public const int Version = 1;

    internal const string Category = "custom";

    private static readonly Dictionary<string, CheckStatus> Severities = new() { ["failed"] = CheckStatus.Failed, ["warning"] = CheckStatus.Warning };

    private static readonly Dictionary<string, Func<YamlMap, Func<CheckContext, CancellationToken, Task<CheckOutcome>>>> Assertions = new()
    {
        ["http"] = HttpAssertion.Read,
        ["file"] = FileAssertion.Read,
        ["container"] = ContainerAssertion.Read,
        ["command"] = CommandAssertion.Read,
    };

    /// <summary>Reads the checks of a stack.</summary>
    /// <param name="stack">The stack.</param>
    /// <returns>The checks, in the order of the file; none where there is no file.</returns>
    /// <exception cref="ComfyAuthException"><c>StackFileInvalid</c>, with file, line and column; <c>StackFileUnreadable</c>.</exception>
    public static IReadOnlyList<Check> Of(GenAIStack stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var path = stack.PathOf(FileName);
        // Checks that cannot be read must not be checks that there are not: only where nothing stands there, there are none.
        var isThere = File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null;
        return isThere ? Parse(StackFileText.Read(path), path) : [];
    }

    /// <summary>Parses the text of a file of checks.</summary>
    internal static IReadOnlyList<Check> Parse(string text, string path)
    {
        var file = YamlMap.Load(text, path);
        file.Allow("version", "checks");
        if (file.Integer("version") is { } version && version != Version)
            throw file.Error("version", $"version {version} is not known", $"This release reads version {Version}.");
        if (file.Map("checks") is not { } written)
            return [];

        var ids = CheckCatalogue.All.Select(check => check.Id).Concat(written.Keys.Select(IdOf)).ToHashSet(StringComparer.Ordinal);
        var grounds = written.Keys.ToDictionary(IdOf, name => DependsOn(written.Map(name), ids));
        foreach (var name in written.Keys.Where(name => LeadsTo(grounds, IdOf(name), IdOf(name), [])))
            throw written.Error(name, $"the check '{name}' builds on itself", "Take one of the 'dependsOn' out.");
        return [.. written.Keys.Select(name => CheckOf(written, name, grounds[IdOf(name)]))];
    }

    private static string IdOf(string name) => $"{Category}.{name}";

    private static Check CheckOf(YamlMap checks, string name, IReadOnlyList<string> grounds)
    {
        if (!Name().IsMatch(name))
            throw checks.Error(name, $"'{name}' is no name of a check", "Use lower-case letters, digits, dashes and dots.");
        var map = checks.Map(name) ?? throw checks.Error(name, $"the check '{name}' says nothing", "Give it one of http, file, container and command.");
        map.Allow(["title", "remedy", "severity", "weight", "within", "dependsOn", .. Assertions.Keys]);
        var kinds = Assertions.Keys.Where(map.Has).ToList();
        if (kinds is not [var kind])
            throw checks.Error(name, $"the check '{name}' {(kinds.Count == 0 ? "asserts nothing" : "asserts several things")}", $"Give it one of {string.Join(", ", Assertions.Keys)}.");

        var severity = map.Choice("severity", Severities) ?? CheckStatus.Failed;
        var assert = Assertions[kind](map.Map(kind) ?? throw map.Error(kind, $"'{kind}' says nothing", "Give it its keys; docs/custom-checks.md lists them."));
        return new(
            IdOf(name),
            map.Text("title") ?? name,
            $"One of the stack's own checks, in {FileName}.",
            map.Text("remedy") ?? $"See what {FileName} says of '{name}'.",
            async (context, stop) =>
            {
                var outcome = await assert(context, stop).ConfigureAwait(false);
                return outcome.Status == CheckStatus.Failed ? outcome with { Status = severity } : outcome;
            })
        {
            Weight = map.Integer("weight") ?? 1,
            Timeout = Within(map) ?? TimeSpan.FromSeconds(10),
            DependsOn = grounds,
        };
    }

    private static IReadOnlyList<string> DependsOn(YamlMap? map, HashSet<string> ids)
    {
        if (map?.Has("dependsOn") != true)
            return [];

        var grounds = map.Texts("dependsOn");
        foreach (var ground in grounds)
        {
            if (!ids.Contains(ground))
                throw map.Error("dependsOn", $"there is no check '{ground}'", $"{NearestName.Suggest(ground, ids)}docs/checks.md lists those that are built in; one of this file is 'custom.' and its name.");
            if (CheckCatalogue.All.FirstOrDefault(check => check.Id == ground) is { IsOfService: true })
                throw map.Error("dependsOn", $"the check '{ground}' is made for each service by itself", "Build on a check of the whole stack.");
        }

        return grounds;
    }

    private static bool LeadsTo(Dictionary<string, IReadOnlyList<string>> grounds, string from, string target, HashSet<string> seen) =>
        grounds.TryGetValue(from, out var next) && next.Any(id => id == target || (seen.Add(id) && LeadsTo(grounds, id, target, seen)));

    private static TimeSpan? Within(YamlMap map) => map.Text("within") is not { } text ? null
        : Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero ? duration
        : throw map.Error("within", $"'{text}' is no length of time", "Write it like 5s or 1m.");

    [GeneratedRegex(@"\A[a-z0-9]+([-.][a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
