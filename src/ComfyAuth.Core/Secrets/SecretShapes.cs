using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace ComfyAuth.Secrets;

/// <summary>
/// Recognises secrets by their look. Every pattern takes linear time: it either begins with a fixed text, or begins where no
/// character of its first repetition stands before, and its repetitions are bounded or exclude what follows them.
/// </summary>
internal static partial class SecretShapes
{
    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    // Escaped forms of $ and / as addresses, JSON, Compose files, shells and HTML have them.
    private const string Dollar = @"(\$\$?|\\{1,4}\$|`\$|%(25)?24|\\u0024|&#36;|&\#x24;)";
    private const string Character = @"([./A-Za-z0-9]|%(25)?2[Ff]|\\{1,4}/|\\u002[Ff])";

    private const string SecretName = @"(token|password|passwd|passphrase|secret|api[_-]?key|secret[_-]?key|access[_-]?key|private[_-]?key|bcrypt_hash|signature|aiohttp_session)";

    // Longest thing of an assignment that may stand before its name on a line of an environment file.
    private const int LongestLead = 24;

    private static readonly SearchValues<char> Prose = SearchValues.Create("-_.:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>Whether a name is one that secrets have, like <c>HF_TOKEN</c> or <c>Password</c>.</summary>
    public static bool IsSecretName(string name) => WholeSecretName().IsMatch(name);

    /// <summary>Reports every part of a text that looks like a secret.</summary>
    public static void Find(string text, Action<int, int, string> found)
    {
        FindHashes(text, found);
        foreach (var match in BcryptWithoutDollars().EnumerateMatches(text))
            found(match.Index, match.Index + match.Length, SecretRedactor.Mark);
        FindServiceKeys(text, found);
        FindPrivateKeys(text, found);
        FindBearerCredentials(text, found);
        FindCaptured(AuthorizationHeader(), text, found);
        FindCaptured(QueryParameter(), text, found);
        FindPasswordsInAddresses(text, found);
        FindAssignments(text, found);
    }

    /// <summary>Reports bcrypt hashes and pieces of them; a piece as the mark of the redactor.</summary>
    public static void FindHashes(string text, Action<int, int, string> found)
    {
        foreach (var match in BcryptShape().EnumerateMatches(text))
            found(match.Index, match.Index + match.Length, ReplacementOfHash(text.Substring(match.Index, match.Length)));
    }

    /// <summary>Reports keys of OpenAI, OpenRouter and Hugging Face.</summary>
    public static void FindServiceKeys(string text, Action<int, int, string> found)
    {
        foreach (var match in ServiceKey().EnumerateMatches(text))
            found(match.Index, match.Index + match.Length, SecretRedactor.Mark);
    }

    /// <summary>Reports what follows <c>Bearer</c>.</summary>
    public static void FindBearerCredentials(string text, Action<int, int, string> found) => FindCaptured(BearerCredential(), text, found);

    /// <summary>Reports the password of <c>http://user:password@host</c>.</summary>
    public static void FindPasswordsInAddresses(string text, Action<int, int, string> found) => FindCaptured(PasswordInAddress(), text, found);

    private static void FindCaptured(Regex pattern, string text, Action<int, int, string> found)
    {
        for (var match = pattern.Match(text); match.Success; match = match.NextMatch())
        {
            var value = match.Groups["v"];
            found(value.Index, value.Index + value.Length, SecretRedactor.Mark);
        }
    }

    /// <summary>Reports private keys in PEM.</summary>
    public static void FindPrivateKeys(string text, Action<int, int, string> found)
    {
        for (var match = PrivateKeyHeader().Match(text); match.Success;)
        {
            // A key that was cut reaches to the end.
            var footer = PrivateKeyFooter().Match(text, match.Index + match.Length);
            var end = footer.Success ? footer.Index + footer.Length : text.Length;
            found(match.Index, end, SecretRedactor.Mark);
            match = PrivateKeyHeader().Match(text, end);
        }
    }

    private static string ReplacementOfHash(string match)
    {
        var plain = new StringBuilder(BcryptHash.Length);
        for (var i = 0; i < match.Length;)
        {
            var escaped = EscapedCharacter().Match(match, i);
            if (escaped.Success)
                plain.Append(escaped.ValueSpan.Contains('F') || escaped.ValueSpan.Contains('f') || escaped.ValueSpan[^1] == '/' ? '/' : '$');
            else
                plain.Append(match[i]);
            i += Math.Max(escaped.Length, 1);
        }

        return BcryptHash.TryParse(plain.ToString(), out var hash) ? hash.ToString() : SecretRedactor.Mark;
    }

    private static void FindAssignments(string text, Action<int, int, string> found)
    {
        // The rest of a value may hold the next name, so the next search begins behind the value.
        for (var match = Assignment().Match(text); match.Success;)
        {
            var start = match.Index + match.Length;
            var end = EndOfValue(text, match, ref start);
            if (end > start)
                found(start, end, SecretRedactor.Mark);
            match = Assignment().Match(text, Math.Max(end, match.Index + match.Length));
        }
    }

    /// <summary>Where the value of an assignment ends; equal to its start when it is no secret.</summary>
    private static int EndOfValue(string text, Match name, ref int start)
    {
        var quote = OpeningQuote().Match(text, start);
        if (quote.Success)
        {
            start += quote.Length;
            return quote.Length == 1 ? EndOfQuoted(text, start, quote.ValueSpan[0]) : EndOfEscapedQuoted(text, start, quote.Value);
        }

        if (NotASecret().IsMatch(text, start))
            return start;
        if (name.ValueSpan.TrimEnd()[^1] == ':')
            return EndOfPlainYaml(text, start);

        var before = name.Index == 0 ? '\n' : text[name.Index - 1];
        return before switch
        {
            '?' or '&' => EndOf(text, start, static c => char.IsWhiteSpace(c) || "&#\"'<>\\".Contains(c, StringComparison.Ordinal)),
            '"' or '\'' => EndOf(text, start, static c => c is '\r' or '\n' or '"' or '\''),
            _ when BeginsLine(text, name.Index) => Trimmed(text, start, EndOf(text, start, static c => c is '\r' or '\n'), " \t"),
            _ => Trimmed(text, start, EndOf(text, start, static c => char.IsWhiteSpace(c) || c is '"' or '\''), ",;)]}"),
        };
    }

    private static int EndOf(string text, int start, Func<char, bool> isEnd)
    {
        var end = start;
        while (end < text.Length && !isEnd(text[end]))
            end++;
        return end;
    }

    private static int Trimmed(string text, int start, int end, string trailing)
    {
        while (end > start && trailing.Contains(text[end - 1], StringComparison.Ordinal))
            end--;
        return end;
    }

    /// <summary>To the closing quote; a quote that is escaped, doubled, or left and entered again (<c>'\''</c>) does not close.</summary>
    private static int EndOfQuoted(string text, int start, char quote)
    {
        var i = start;
        while (i < text.Length && text[i] is not ('\r' or '\n'))
        {
            if (quote == '\'' && string.CompareOrdinal(text, i, @"'\''", 0, 4) == 0)
                i += 4;
            else if (text[i] == '\\' || (text[i] == quote && i + 1 < text.Length && text[i + 1] == quote))
                i += 2;
            else if (text[i] == quote)
                return i;
            else
                i++;
        }

        return Math.Min(i, text.Length);
    }

    /// <summary>To the closing quote of a string inside a JSON string: preceded by as many backslashes as the opening one.</summary>
    private static int EndOfEscapedQuoted(string text, int start, string quote)
    {
        var i = start;
        while (i < text.Length && text[i] is not ('\r' or '\n'))
        {
            if (string.CompareOrdinal(text, i, quote, 0, quote.Length) == 0 && (i == start || text[i - 1] != '\\'))
                break;
            i++;
        }

        return i;
    }

    /// <summary>After a colon stands prose as often as a value; a value reaches to the end of the line and is no word.</summary>
    private static int EndOfPlainYaml(string text, int start)
    {
        const int shortest = 6;
        const int longest = 512;
        var end = start;
        while (end < text.Length && end - start < longest && !char.IsWhiteSpace(text[end]))
            end++;

        var valueEnd = Trimmed(text, start, end, ",}");
        var value = text.AsSpan(start, valueEnd - start);
        var rest = text.AsSpan(end, Math.Min(64, text.Length - end)).TrimStart(" \t");
        var isSecret = value.Length >= shortest
            && value.IndexOfAny('/', '\\') < 0
            && value.ContainsAnyExcept(Prose)
            && (rest.IsEmpty || rest[0] is '\r' or '\n' or '#' or '}');
        return isSecret ? valueEnd : start;
    }

    private static bool BeginsLine(string text, int name)
    {
        var from = Math.Max(0, name - LongestLead);
        var lead = text.AsSpan(from, name - from);
        var lineStart = lead.LastIndexOfAny('\r', '\n');
        if (lineStart < 0 && from > 0)
            return false;
        return lead[(lineStart + 1)..].Trim() is "" or "-" or "export" or "set";
    }

    [GeneratedRegex($@"({Dollar}2[abxy])?{Dollar}\d\d{Dollar}{Character}{{8,53}}", Options)]
    private static partial Regex BcryptShape();

    [GeneratedRegex(@"(?<![./$A-Za-z0-9])2[abxy]\$?\d\d\$?[./A-Za-z0-9]{53}(?![./A-Za-z0-9]{4})", Options)]
    private static partial Regex BcryptWithoutDollars();

    [GeneratedRegex($@"\G({Dollar}|%(25)?2[Ff]|\\{{1,4}}/|\\u002[Ff])", Options)]
    private static partial Regex EscapedCharacter();

    [GeneratedRegex(@"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}|(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{16,}", Options)]
    private static partial Regex ServiceKey();

    [GeneratedRegex("-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----", Options)]
    private static partial Regex PrivateKeyHeader();

    [GeneratedRegex("-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----", Options)]
    private static partial Regex PrivateKeyFooter();

    // "Bearer authentication required" and "Bearer realm=..." are prose: a credential has a digit or is long.
    [GeneratedRegex(@"\bbearer[ \t]{1,8}(?!(realm|error|scope)=)(?=[^\s""'\\,;<>]{20}|[^\s""'\\,;<>0-9]{0,20}[0-9])(?<v>[^\s""'\\,;<>]{4,})", Options | RegexOptions.IgnoreCase)]
    private static partial Regex BearerCredential();

    [GeneratedRegex(@"\bauthorization[""'\\]{0,4}[ \t]{0,8}[:=][ \t]{0,8}[""'\\]{0,4}((basic|bearer|digest|token|negotiate)\b[ \t]{0,8})?(?<v>[^\s""'\\][^\r\n""'\\]*)", Options | RegexOptions.IgnoreCase)]
    private static partial Regex AuthorizationHeader();

    [GeneratedRegex(@"[?&](key|sig|auth|code|credential)=(?<v>[^\s&#""'<>\\]+)", Options | RegexOptions.IgnoreCase)]
    private static partial Regex QueryParameter();

    [GeneratedRegex(@"://[^\s/@:""']{0,128}:(?<v>[^\s/@""']{1,256})@", Options)]
    private static partial Regex PasswordInAddress();

    [GeneratedRegex($@"(?<![A-Za-z0-9_-])(?!PublicKeyToken|wrong_password)[A-Za-z0-9_-]*{SecretName}[""'\\]{{0,4}}([ \t]{{0,8}}[:=](?![=>~])[ \t]{{0,8}}|\t)", Options | RegexOptions.IgnoreCase)]
    private static partial Regex Assignment();

    [GeneratedRegex($@"^[A-Za-z0-9_-]*{SecretName}\z", Options | RegexOptions.IgnoreCase)]
    private static partial Regex WholeSecretName();

    [GeneratedRegex(@"\G\\{0,4}[""']", Options)]
    private static partial Regex OpeningQuote();

    // A reference to a variable, a placeholder, or a mark of ours.
    [GeneratedRegex(@"\G(\$\{[A-Za-z_][A-Za-z0-9_]{0,80}(:?-|:?\?[^}\r\n]{0,200})?\}|\$((?i)env:)?[A-Z_][A-Z0-9_]{0,80}|%[A-Z_][A-Z0-9_]{0,80}%|\$\([^)\r\n]{0,200}\)|<[^<>\r\n]{0,80}>|\*{1,200}|\.{2,200}|((?i)true|false|null|none)|\[redacted\]|bcrypt:([0-9a-f]{8}|none))?[,;)\]}]{0,8}(?=[\s""'\\]|\z)", Options)]
    private static partial Regex NotASecret();
}
