using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Environments;
using ComfyAuth.Secrets;

namespace ComfyAuth.Notebooks;

/// <summary>
/// Finds secrets in the texts of notebooks: those that the stack knows, those that look like nothing else, and those that may be
/// one by their name. Code is full of names of secrets, so that only a literal counts as a value. Safe for concurrent use.
/// </summary>
/// <param name="redactor">Knows the secrets of the stack.</param>
internal sealed partial class NotebookSecrets(SecretRedactor redactor)
{
    /// <summary>A known secret of fewer characters is not looked for: it would be found in every notebook.</summary>
    private const int ShortestKnown = 8;

    // What stands on the same line around a place that may hold a secret; no secret is longer.
    private const int Before = 256;
    private const int After = 2048;
    private const int Overlap = 512;

    // What stands for a value that is put in later.
    private static readonly SearchValues<char> Expression = SearchValues.Create("{}<>$%()");

    private readonly SecretTriggers _triggers = new(redactor.KnownForms().Where(form => form.Length >= ShortestKnown));

    /// <summary>The first place, from a place on, at which a text of JSON, with its escapes, may hold a secret; its end where it cannot. Costs little.</summary>
    public int Next(ReadOnlySpan<byte> text, int from) => _triggers.Next(text, from) is var at and >= 0 ? at : text.Length;

    /// <summary>Reports each secret of a text.</summary>
    /// <param name="text">UTF-8, without escapes.</param>
    /// <param name="found">Gets whether it is one for certain, and what it is, without the secret.</param>
    public void Find(ReadOnlySpan<byte> text, Action<bool, string> found)
    {
        for (var at = _triggers.Next(text, 0); at >= 0; at = _triggers.Next(text, at))
        {
            var start = Math.Max(0, at - Before);
            start += text[start..at].LastIndexOf((byte)'\n') + 1;
            var rest = text[at..Math.Min(text.Length, at + After)];
            var lineEnd = rest.IndexOf((byte)'\n');
            var end = at + (lineEnd < 0 ? rest.Length : lineEnd);
            var isCut = lineEnd < 0 && end < text.Length;
            Examine(Encoding.UTF8.GetString(text[start..end]), isCut, found);
            at = isCut ? end - Overlap : Math.Max(end, at + 1);
        }
    }

    private void Examine(string line, bool isCut, Action<bool, string> found)
    {
        var taken = new List<(int Start, int End)>();
        redactor.FindKnown(line, (start, end, shown) =>
        {
            if (end - start >= ShortestKnown)
                Report(start, end, isCertain: true, "a secret of this stack", shown);
        });
        SecretShapes.FindHashes(line, (start, end, shown) =>
        {
            if (shown != SecretRedactor.Mark)
                Report(start, end, isCertain: true, "a bcrypt hash", shown);
        });
        SecretShapes.FindServiceKeys(line, (start, end, _) =>
        {
            if (IsVaried(line.AsSpan(start, end - start)))
                Report(start, end, isCertain: true, "an API key");
        });
        SecretShapes.FindPrivateKeys(line, (start, _, _) => Report(start, start + 1, isCertain: true, "a private key", "from its first line on"));
        SecretShapes.FindBearerCredentials(line, (start, end, _) => ReportLiteral(start, end, "a bearer token"));
        SecretShapes.FindPasswordsInAddresses(line, (start, end, _) => ReportLiteral(start, end, "a password in an address"));
        for (var match = Literal().Match(line); match.Success; match = match.NextMatch())
        {
            var value = match.Groups["value"];
            if (value.ValueSpan.ContainsAnyInRange('0', '9'))
                ReportLiteral(value.Index, value.Index + value.Length, $"the value of {match.Groups["name"].Value}");
        }

        void ReportLiteral(int start, int end, string what)
        {
            var value = line[start..end];
            if (value.AsSpan().IndexOfAny(Expression) < 0 && IsVaried(value) && !EnvironmentValidator.IsPlaceholder(value) && !VariableName().IsMatch(value))
                Report(start, end, isCertain: false, what);
        }

        void Report(int start, int end, bool isCertain, string what, string? shown = null)
        {
            // What reaches the end of a piece goes on in the next, which begins before it.
            if ((isCut && end == line.Length) || taken.Exists(other => start < other.End && other.Start < end))
                return;
            taken.Add((start, end));
            found(isCertain, shown is null or SecretRedactor.Mark ? $"{what}, fingerprint {new SecretText(line[start..end]).Fingerprint}" : $"{what}, {shown}");
        }
    }

    /// <summary>Whether it has enough different characters to be no example such as <c>sk-xxxxxxxxxxxxxxx1</c>.</summary>
    private static bool IsVaried(ReadOnlySpan<char> value)
    {
        const int fewest = 6;
        var seen = new HashSet<char>();
        foreach (var c in value)
        {
            seen.Add(c);
            if (seen.Count >= fewest)
                return true;
        }

        return false;
    }

    [GeneratedRegex(
        @"(?<![A-Za-z0-9_-])(?<name>[A-Za-z0-9_-]{0,40}(token|password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|bcrypt_hash|aiohttp_session))[""']?\]?[ \t]{0,8}[:=][ \t]{0,8}(?<quote>[""'])(?<value>[^""'\s\\]{8,256})\k<quote>",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Literal();

    // The name of a variable is no value: os.environ['TOKEN'] = 'OPENAI_API_KEY_2'.
    [GeneratedRegex(@"\A[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();
}
