using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tokens;

/// <summary>A state with what was seen that led to it.</summary>
internal readonly record struct TokenFault(TokenState State, string Evidence)
{
    public static TokenFault None { get; } = new(TokenState.Match, "");
}

/// <summary>Names what happened to a value on its way: the same rules for every place and every reader.</summary>
internal static partial class TokenDiagnosis
{
    /// <summary>Judges a value that should be a hash.</summary>
    /// <param name="value">What the reader gets.</param>
    /// <param name="expected">The right hash; null where it is not known.</param>
    public static TokenFault OfHash(string value, BcryptHash? expected)
    {
        if (BcryptHash.TryParse(value, out var hash, out var reason))
            return Compare(hash, expected);

        foreach (var (state, repaired, evidence) in Repairs(value))
        {
            if (BcryptHash.TryParse(repaired, out hash, out _))
            {
                var other = Compare(hash, expected).State == TokenState.Stale ? " Without that it is another hash than the source's." : "";
                return new(state, evidence + other);
            }
        }

        if (IsCut(value, expected))
            return new(TokenState.Truncated, $"{value.Length} of 60 characters are left.");
        if (RepeatedKey().Match(value) is { Success: true } repeated)
            return new(TokenState.Malformed, $"The value itself starts with '{repeated.Groups[1].Value}=': the name was written twice.");
        return new(TokenState.Malformed, $"Not a bcrypt hash: {reason}");
    }

    /// <summary>Judges a value that should be the password; compares texts only, bcrypt has been asked before.</summary>
    public static TokenFault OfPassword(string value, SecretText expected)
    {
        if (value == expected.Reveal())
            return TokenFault.None;
        foreach (var (state, repaired, evidence) in Repairs(value))
        {
            if (repaired == expected.Reveal())
                return new(state, evidence);
        }

        return BcryptHash.TryParse(value, out _)
            ? new(TokenState.Malformed, "A hash stands where the password belongs.")
            : new(TokenState.OtherPassword, "The source's hash is not of this password: bearer calls work, the web login does not.");
    }

    /// <summary>The hash that a value was meant to be; null where it holds none.</summary>
    public static BcryptHash? Intended(string value)
    {
        if (BcryptHash.TryParse(value, out var hash))
            return hash;
        foreach (var (_, repaired, _) in Repairs(value))
        {
            if (BcryptHash.TryParse(repaired, out hash))
                return hash;
        }

        return null;
    }

    /// <summary>Says where Compose lost something, without showing the secret: a run is named by its first letter.</summary>
    public static string Describe(IReadOnlyList<DroppedRun> dropped) => string.Join(" ", dropped.Select(run =>
        $"the run of {run.Text.Length} characters at line {run.Line}, column {run.Column} (it begins '{run.Text[..Math.Min(2, run.Text.Length)]}') is taken for a variable that is not defined, and dropped."));

    private static TokenFault Compare(BcryptHash hash, BcryptHash? expected) =>
        expected is null ? new(TokenState.Undetermined, "There is no source of truth to compare with.")
        : hash == expected ? TokenFault.None
        : new(TokenState.Stale, "A well-formed hash, but not the source's.");

    /// <summary>What a value would be if one more fault were mended, the outermost first.</summary>
    private static IEnumerable<(TokenState State, string Repaired, string Evidence)> Repairs(string value)
    {
        var state = TokenState.Match;
        var evidence = new List<string>();

        if (value.StartsWith('\uFEFF'))
            yield return Mended(TokenState.ByteOrderMark, value.TrimStart('\uFEFF'), "A byte order mark is part of the value.");
        if (value.Trim() != value)
            yield return Mended(TokenState.CarriageReturn, value.Trim(), value.Contains('\r', StringComparison.Ordinal) ? "A carriage return is part of the value." : "White space is part of the value.");
        if (value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0])
            yield return Mended(TokenState.QuotedLiterally, value[1..^1], "The quotes are part of the value.");
        if (value.Contains("$$", StringComparison.Ordinal))
            yield return Mended(TokenState.DoubledDollar, value.Replace("$$", "$", StringComparison.Ordinal), "Every $ stands twice.");
        if (value.Contains(@"\$", StringComparison.Ordinal))
            yield return Mended(TokenState.QuotedLiterally, value.Replace(@"\$", "$", StringComparison.Ordinal), "The backslash before each $ is part of the value.");
        if (WithoutDollars().Match(value.Replace("$", "", StringComparison.Ordinal)) is { Success: true } bare)
            yield return Mended(TokenState.MissingDollar, $"${bare.Groups[1].Value}${bare.Groups[2].Value}${bare.Groups[3].Value}", "The $ of the hash are lost.");

        (TokenState, string, string) Mended(TokenState found, string repaired, string seen)
        {
            if (state == TokenState.Match)
                state = found;
            evidence.Add(seen);
            value = repaired;
            return (state, repaired, string.Join(" ", evidence));
        }
    }

    private static bool IsCut(string value, BcryptHash? expected)
    {
        if (CutHash().IsMatch(value))
            return true;
        if (expected is not { } whole || value.Length is 0 or >= 60)
            return false;

        // A run lost from the middle leaves a beginning and an end of the whole.
        var text = whole.Reveal();
        var same = 0;
        while (same < value.Length && value[same] == text[same])
            same++;
        return text.EndsWith(value[same..], StringComparison.Ordinal) && value.Length >= 8;
    }

    [GeneratedRegex(@"^(2[aby])(\d\d)([./A-Za-z0-9]{53})$", RegexOptions.CultureInvariant)]
    private static partial Regex WithoutDollars();

    [GeneratedRegex(@"^\$2[aby]\$\d\d(\$?[./A-Za-z0-9]{0,52})$", RegexOptions.CultureInvariant)]
    private static partial Regex CutHash();

    // Without the hash behind it, what stands before the sign may be a secret in base64.
    [GeneratedRegex(@"^([A-Za-z_][A-Za-z0-9_]*)=[""']?\$2[aby]\$", RegexOptions.CultureInvariant)]
    private static partial Regex RepeatedKey();
}
