using System.Text.RegularExpressions;

namespace ComfyAuth.Compose;

/// <summary>
/// Foresees what a healthcheck makes of ComfyUI-Login, which answers 401 on every path but <c>/login</c> and static files to
/// a caller without the token, and redirects one that asks for HTML.
/// </summary>
internal static partial class HealthcheckVerdict
{
    /// <summary>Why the healthcheck can never pass, as a clause without a full stop; null when it can.</summary>
    public static string? WhyItFails(IReadOnlyList<string> test)
    {
        // The check passes if one of its alternatives does.
        var line = string.Join(' ', test);
        string? reason = null;
        foreach (var alternative in line.Split("||", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (GivesUp().IsMatch(alternative))
                continue;
            if (WhyAlternativeFails(alternative) is not { } why)
                return null;
            reason ??= why;
        }

        return reason;
    }

    private static string? WhyAlternativeFails(string line)
    {
        // A caller that knows of 401 or sends a token is taken at its word.
        if (line.Contains("401", StringComparison.Ordinal) || Token().IsMatch(line))
            return null;
        var urls = Url().Matches(line);
        if (urls.Count > 0 && urls.All(url => OpenPath().IsMatch(url.Groups["path"].Value)))
            return null;
        // 302 is no failure to curl -f; a client that follows it ends at the login page, which is 200.
        if (AsksForHtml().IsMatch(line))
            return null;

        if (Comparison().IsMatch(line))
            return "it waits for 200, but gets 401 without a token";
        if (Curl().IsMatch(line))
            return FailFlag().IsMatch(line) ? "curl -f gets 401 without a token and exits with 22" : null;
        if (Wget().IsMatch(line))
            return "wget gets 401 without a token and exits with an error";
        return Python().IsMatch(line) ? "the request gets 401 without a token and raises an error" : null;
    }

    [GeneratedRegex(@"\A(exit\s+[1-9][0-9]*|false)\b", RegexOptions.CultureInvariant)]
    private static partial Regex GivesUp();

    [GeneratedRegex(@"authorization|[?&]token=|bearer", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Token();

    [GeneratedRegex(@"(https?://|\b(localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0):[0-9]{1,5})[^/\s""'|;&)]{0,256}(?<path>/?[^\s""'|;&)]{0,1024})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Url();

    [GeneratedRegex(@"\A/login([/?#]|\z)|\A[^?#]*\.(css|css\.map|js|ico)([?#]|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex OpenPath();

    [GeneratedRegex(@"accept:\s?text/html", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex AsksForHtml();

    [GeneratedRegex(@"(grep|=|\[|\btest\b)[^|&;]{0,80}\b200\b", RegexOptions.CultureInvariant)]
    private static partial Regex Comparison();

    [GeneratedRegex(@"\bcurl\b", RegexOptions.CultureInvariant)]
    private static partial Regex Curl();

    [GeneratedRegex(@"\s(--fail(-with-body|-early)?\b|-[a-zA-Z#]{0,16}f)", RegexOptions.CultureInvariant)]
    private static partial Regex FailFlag();

    [GeneratedRegex(@"\bwget\b", RegexOptions.CultureInvariant)]
    private static partial Regex Wget();

    [GeneratedRegex(@"\burlopen\b|\braise_for_status\b", RegexOptions.CultureInvariant)]
    private static partial Regex Python();
}
