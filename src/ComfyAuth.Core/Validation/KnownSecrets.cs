using System.Text.RegularExpressions;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>The secrets of a stack, to look for where they do not belong. Immutable.</summary>
internal sealed partial class KnownSecrets
{
    // What is shorter, or was never filled in, stands in many texts without being a secret there.
    private const int ShortestSecret = 8;

    private const int TailOfHash = 53;

    private readonly KnownSecretIndex _index;

    /// <summary>Takes secrets.</summary>
    /// <param name="secrets">The secrets, each with a name for it.</param>
    public KnownSecrets(IEnumerable<(string Value, string Name)> secrets)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (value, name) in secrets)
        {
            if (BcryptHash.TryParse(value, out var hash))
            {
                // Salt and digest alone: what becomes of the dollars in front of them differs from file to file.
                names.TryAdd(value[^TailOfHash..], $"the token {hash}");
                Tokens.Add($"the token {hash}");
            }
            else if (value.Length >= ShortestSecret && !Placeholder().IsMatch(value) && !TokenChecks.CommonPasswords.Contains(value, StringComparer.OrdinalIgnoreCase))
            {
                names.TryAdd(value, name);
            }
        }

        Count = names.Count;
        _index = new(names);
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    private HashSet<string> Tokens { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads them out of a stack's files.</summary>
    public static KnownSecrets Of(GenAIStack stack) => new(StackSecrets.Read(stack));

    /// <summary>Whether a name is that of a token, which ComfyUI-Login writes into its log by itself.</summary>
    public bool IsToken(string name) => Tokens.Contains(name);

    /// <summary>The names of the secrets in a text, in the order of their first places, with these places; each name once for a line.</summary>
    public IReadOnlyList<(int Line, string Name)> Find(string text)
    {
        List<(int Start, string Name)> found = [];
        _index.Find(text, (start, _, name) => found.Add((start, name == SecretRedactor.Mark ? "a secret of the stack, encoded" : name)));
        if (found.Count == 0)
            return [];

        List<(int Line, string Name)> places = [];
        var (line, at) = (1, 0);
        foreach (var (start, name) in found)
        {
            line += text.AsSpan(at, start - at).Count('\n');
            at = start;
            if (!places.Contains((line, name)) && places.Count < MostPlaces)
                places.Add((line, name));
        }

        return places;
    }

    // A file that holds a secret on each of its lines need not be told line by line.
    private const int MostPlaces = 100;

    [GeneratedRegex(@"your|change|example|placeholder|x{4}|\.{3}|\*{3}|^<.*>$|^\$\{", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Placeholder();
}
