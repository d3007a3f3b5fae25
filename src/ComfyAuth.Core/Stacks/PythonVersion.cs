using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth.Stacks;

/// <summary>The version of a Python package, in the order of PEP 440: development, alpha, beta, candidate, release, post-release.</summary>
internal sealed partial class PythonVersion : IComparable<PythonVersion>
{
    private readonly long _epoch;
    private readonly long[] _release;
    private readonly (long Kind, long Number, long Post, long Development) _suffix;

    private PythonVersion(Match match)
    {
        _epoch = Number(match, "epoch", 0);
        _release = [.. match.Groups["release"].Value.Split('.').Select(part => long.Parse(part, CultureInfo.InvariantCulture))];
        var isDevelopment = match.Groups["isdev"].Success;
        var isPost = match.Groups["ispost"].Success;

        // A development version that is of no other comes before all that lead to its release.
        const long developmentOnly = -1;
        const long released = 3;
        var kind = match.Groups["kind"].Value.ToLowerInvariant() switch
        {
            "a" or "alpha" => 0,
            "b" or "beta" => 1,
            "" => isDevelopment && !isPost ? developmentOnly : released,
            _ => 2,
        };
        _suffix = (kind, Number(match, "number", 0), isPost ? Number(match, "post", 0) : -1, isDevelopment ? Number(match, "dev", 0) : long.MaxValue);
    }

    /// <summary>Reads a version; what follows a plus sign, the local part, is left out.</summary>
    public static bool TryParse(string? text, out PythonVersion? version)
    {
        var match = Pattern().Match(text?.Trim() ?? "");
        version = match.Success ? new(match) : null;
        return match.Success;
    }

    public int CompareTo(PythonVersion? other)
    {
        if (other is null)
            return 1;
        if (_epoch != other._epoch)
            return _epoch.CompareTo(other._epoch);
        for (var i = 0; i < Math.Max(_release.Length, other._release.Length); i++)
        {
            var difference = _release.ElementAtOrDefault(i).CompareTo(other._release.ElementAtOrDefault(i));
            if (difference != 0)
                return difference;
        }

        return _suffix.CompareTo(other._suffix);
    }

    private static long Number(Match match, string group, long otherwise) =>
        match.Groups[group] is { Success: true, Length: > 0 } digits ? long.Parse(digits.ValueSpan, CultureInfo.InvariantCulture) : otherwise;

    // Numbers are of at most 18 digits, which a long holds. The alternative spellings are those that PEP 440 normalises.
    [GeneratedRegex(
        @"\Av?(?:(?<epoch>[0-9]{1,18})!)?(?<release>[0-9]{1,18}(?:\.[0-9]{1,18}){0,20})(?:[-_.]?(?<kind>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?<number>[0-9]{0,18}))?(?<ispost>-(?<post>[0-9]{1,18})|[-_.]?(?:post|rev|r)[-_.]?(?<post>[0-9]{0,18}))?(?<isdev>[-_.]?dev[-_.]?(?<dev>[0-9]{0,18}))?(?:\+[a-z0-9._-]{1,100})?\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
