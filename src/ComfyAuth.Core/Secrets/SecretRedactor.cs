using System.Text;
using System.Text.RegularExpressions;

namespace ComfyAuth.Secrets;

/// <summary>
/// Takes secrets out of texts on their way to a stream, a log or a report: those it was told of, in every encoding, and
/// those it recognises by their look. Safe for concurrent use; takes linear time on any text.
/// </summary>
/// <remarks>
/// A known secret of fewer than 4 characters is not looked for, because it would shred every text; where it is the value of
/// a name like <c>COMFYUI_PASSWORD</c>, its look gives it away all the same.
/// </remarks>
public sealed partial class SecretRedactor
{
    /// <summary>What stands in the place of a secret other than a whole bcrypt hash.</summary>
    public const string Mark = "[redacted]";

    // What a replacement leaves may look like a secret in turn; one more pass settles it, except for secrets made of marks.
    private const int MaximumPasses = 8;
    private const int MaximumCauses = 16;

    private readonly object _lock = new();
    private readonly Dictionary<string, string> _replacements = new(StringComparer.Ordinal);
    private volatile KnownSecretIndex? _index;

    /// <summary>Makes a password or an API key known.</summary>
    public void Register(SecretText secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        Register(secret.Reveal(), Mark);
    }

    /// <summary>Makes a hash known; its 53 characters of salt and digest are, by themselves, known too.</summary>
    public void Register(BcryptHash hash)
    {
        if (hash.IsDefault)
            return;
        Register(hash.Reveal(), hash.ToString());
        Register(hash.Reveal()[^53..], Mark);
    }

    /// <summary>Makes a text known; a whole bcrypt hash is known as one.</summary>
    /// <param name="secret">The secret; nothing happens when it is null or empty.</param>
    public void Register(string? secret)
    {
        if (BcryptHash.TryParse(secret, out var hash))
            Register(hash);
        else if (!string.IsNullOrEmpty(secret))
            Register(secret, Mark);
    }

    /// <summary>
    /// Replaces whole bcrypt hashes by <c>bcrypt:</c> and their fingerprint, and all other secrets by <c>[redacted]</c>.
    /// Applied to its own result, it changes nothing.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <returns>The text without secrets; empty for null.</returns>
    public string Redact(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";

        var known = Index();
        for (var pass = 0; pass < MaximumPasses; pass++)
        {
            var next = Redact(text, known);
            if (ReferenceEquals(next, text))
                return text;
            text = next;
        }

        // Each replacement made another secret: only secrets that hold the mark itself do that.
        return Mark;
    }

    /// <summary>Whether a name is one that secrets have, like <c>HF_TOKEN</c>, <c>Password</c> or <c>api_key</c>.</summary>
    public static bool IsSecretName(string? name) => name is not null && SecretShapes.IsSecretName(name);

    /// <summary>
    /// What an error says, and its causes, without stack traces and secrets: <c>outer message Cause: inner message</c>.
    /// </summary>
    /// <remarks>A cause that the message before it quotes, as <see cref="AggregateException"/> does, is not repeated.</remarks>
    public string Describe(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var description = new StringBuilder();
        var last = "";
        var cause = exception;
        for (var depth = 0; cause is not null && depth < MaximumCauses; depth++, cause = cause.InnerException)
        {
            if (depth > 0 && last.Contains(cause.Message, StringComparison.Ordinal))
                continue;
            if (description.Length > 0)
                description.Append(" Cause: ");
            description.Append(Redact(cause.Message));
            last = cause.Message;
        }

        // Again, for a secret that the messages have parts of.
        return Redact(description.ToString());
    }

    /// <summary>The texts that are looked for: each known secret, and what it looks like in base64.</summary>
    internal IReadOnlyList<string> KnownForms() => [.. Index().Texts];

    /// <summary>Reports where known secrets stand in a text, and what to show in their place.</summary>
    internal void FindKnown(string text, Action<int, int, string> found) => Index().Find(text, found);

    private void Register(string secret, string replacement)
    {
        lock (_lock)
        {
            if (!_replacements.TryGetValue(secret, out var present) || present == Mark)
                _replacements[secret] = replacement;
            _index = null;
        }
    }

    private KnownSecretIndex Index()
    {
        if (_index is { } index)
            return index;
        lock (_lock)
            return _index ??= new KnownSecretIndex(_replacements);
    }

    /// <summary>One pass; the same object when there was nothing to do.</summary>
    private static string Redact(string text, KnownSecretIndex known)
    {
        var found = new List<Redaction>();
        var marks = Marks(text, Marked());
        if (!known.IsEmpty)
        {
            void AddKnown(int start, int end, string replacement)
            {
                if (!IsInside(marks, start, end))
                    found.Add(new Redaction(start, end, replacement));
            }

            known.Find(text, AddKnown);
            FindEscaped(text, known, AddKnown);
        }

        var shown = Marks(text, Shown());
        SecretShapes.Find(text, (start, end, replacement) =>
        {
            if (!IsInside(shown, start, end))
                found.Add(new Redaction(start, end, replacement));
        });
        return found.Count == 0 ? text : Replace(text, found);
    }

    private static void FindEscaped(string text, KnownSecretIndex known, Action<int, int, string> found, Func<int, int>? outer = null)
    {
        foreach (var decoder in DecodedView.Decoders)
        {
            if (DecodedView.Of(text, decoder) is not { } view)
                continue;

            int Original(int position) => outer is null ? view.Original(position) : outer(view.Original(position));
            known.Find(view.Text, (start, end, replacement) => found(Original(start), Original(end), replacement));

            // Logs and the Engine wrap texts that are escaped themselves in JSON.
            if (outer is null && decoder == DecodedView.JsonDecoder)
                FindEscaped(view.Text, known, found, Original);
        }
    }

    private static List<(int Start, int End)> Marks(string text, Regex pattern)
    {
        var marks = new List<(int Start, int End)>();
        foreach (var match in pattern.EnumerateMatches(text))
            marks.Add((match.Index, match.Index + match.Length));
        return marks;
    }

    private static bool IsInside(List<(int Start, int End)> marks, int start, int end)
    {
        var index = marks.BinarySearch((start, int.MaxValue));
        index = ~index - 1;
        return index >= 0 && marks[index].End >= end;
    }

    private static string Replace(string text, List<Redaction> found)
    {
        found.Sort(static (left, right) => left.Start != right.Start ? left.Start.CompareTo(right.Start) : right.End.CompareTo(left.End));
        var result = new StringBuilder(text.Length);
        var copied = 0;
        for (var i = 0; i < found.Count;)
        {
            var (start, end, replacement) = found[i];
            for (i++; i < found.Count && found[i].Start < end; i++)
            {
                // Of two that overlap neither is shown, not even by its fingerprint, unless one covers the other.
                if (found[i].End > end)
                    replacement = Mark;
                else if (found[i].Start == start && found[i].End == end && found[i].Replacement != Mark)
                    replacement = found[i].Replacement;
                end = Math.Max(end, found[i].End);
            }

            result.Append(text, copied, start - copied).Append(replacement);
            copied = end;
        }

        return result.Append(text, copied, text.Length - copied).ToString();
    }

    [GeneratedRegex(@"\[redacted\]", RegexOptions.CultureInvariant)]
    private static partial Regex Marked();

    [GeneratedRegex(@"\[redacted\]|(?<![A-Za-z0-9])bcrypt:[0-9a-f]{8}(?![A-Za-z0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Shown();
}
