using System.Buffers;
using System.Collections.Frozen;

namespace ComfyAuth.Guidance;

/// <summary>
/// Makes terms of a text: words of letters and digits without case and accents. A name of several parts, such as
/// <c>COMFYUI_BEARER_TOKEN</c>, <c>docker-compose.yml</c> or <c>OutOfMemory</c>, is a term as a whole and by its parts.
/// </summary>
internal static class TermReader
{
    // Nobody asks for longer ones; they are hashes, addresses and encoded files.
    private const int LongestName = 64;

    // What each character from U+00C0 and from U+1E00 is without its mark; a dot is one that has none. Not string.Normalize:
    // where .NET runs without culture data, as our command line and many images do, that gives back what it gets.
    private const string Latin =
        "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"
        + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.llllll."
        + ".llnnnnnn...oooooo..rrrrrrsssssssstttt..uuuuuuuuuuuuwwyyyzzzzzz.";

    private const string LatinAdditional =
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
        + "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
        + "wwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
        + "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

    private static readonly SearchValues<char> Connectors = SearchValues.Create("_-.");

    // Words that stand in any text of either language, as they are without accents and apostrophes.
    private static readonly FrozenSet<ulong> StopWords =
        ("an and are as at be by can do does for from has have how if in into is it its not of on or so than that the their then"
        + " there these this to was what when where which who why will with you your"
        + " au aux avec ce ces cet cette comme dans de des du elle en est et etre il ils je la le les leur lui ma mais meme mes"
        + " mon ne ni nous on ont ou par pas plus pour qu quand que quel quelle qui sa sans se ses si son sont sur ta te tes ton"
        + " tu un une vos votre vous").Split(' ').Select(word => Hash(word)).ToFrozenSet();

    /// <summary>Takes a term.</summary>
    public delegate void TermFound(ReadOnlySpan<char> term);

    /// <summary>Reports each term of a text, in the order of the text.</summary>
    public static void Read(ReadOnlySpan<char> text, TermFound found)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!char.IsLetterOrDigit(text[i]))
            {
                i++;
                continue;
            }

            var end = EndOfName(text, i);
            if (end - i == 1 && IsOption(text, i))
                Report(text[(i - 1)..end], found);
            else
                ReadName(text[i..end], found);
            i = end;
        }
    }

    /// <summary>What a term is compared by: FNV-1a of 64 bits, the same in every process.</summary>
    public static ulong Hash(ReadOnlySpan<char> term)
    {
        var hash = 14695981039346656037;
        foreach (var character in term)
            hash = (hash ^ character) * 1099511628211;
        return hash;
    }

    private static void ReadName(ReadOnlySpan<char> name, TermFound found)
    {
        var part = EndOfPart(name, 0);
        if (part == name.Length)
        {
            Report(name, found, isWord: true);
            return;
        }

        Report(name, found);
        for (var start = 0; start < name.Length;)
        {
            Report(name[start..part], found, isWord: true);
            start = part < name.Length && Connectors.Contains(name[part]) ? part + 1 : part;
            part = EndOfPart(name, start);
        }
    }

    private static void Report(ReadOnlySpan<char> text, TermFound found, bool isWord = false)
    {
        if (text.Length > LongestName)
            return;

        Span<char> folded = stackalloc char[2 * LongestName];
        var term = Fold(text, folded);
        if (isWord)
        {
            // A single letter is the rest of an elision, or the number of a list.
            if ((term.Length == 1 && char.IsAscii(term[0])) || StopWords.Contains(Hash(term)))
                return;
            term = Singular(term);
        }

        found(term);
    }

    /// <summary>A name goes on behind a connector if another letter or digit follows.</summary>
    private static int EndOfName(ReadOnlySpan<char> text, int start)
    {
        var end = start + 1;
        while (end < text.Length && (IsPartOfWord(text[end]) || (Connectors.Contains(text[end]) && end + 1 < text.Length && char.IsLetterOrDigit(text[end + 1]))))
            end++;
        return end;
    }

    /// <summary>A part ends at a connector, and where a capital follows a small letter.</summary>
    private static int EndOfPart(ReadOnlySpan<char> name, int start)
    {
        var end = Math.Min(start + 1, name.Length);
        while (end < name.Length && !Connectors.Contains(name[end]) && !(char.IsUpper(name[end]) && char.IsLower(name[end - 1])))
            end++;
        return end;
    }

    /// <summary>Whether a single letter is an option of a command, such as <c>-f</c>.</summary>
    private static bool IsOption(ReadOnlySpan<char> text, int letter) =>
        letter > 0 && text[letter - 1] == '-' && char.IsAsciiLetter(text[letter])
        && (letter == 1 || char.IsWhiteSpace(text[letter - 2]) || "`'\"([|".Contains(text[letter - 2], StringComparison.Ordinal));

    private static bool IsPartOfWord(char character) => char.IsLetterOrDigit(character) || IsMark(character);

    private static bool IsMark(char character) => character is >= '\u0300' and <= '\u036F';

    private static ReadOnlySpan<char> Fold(ReadOnlySpan<char> text, Span<char> folded)
    {
        var length = 0;
        foreach (var character in text)
        {
            if (char.IsAscii(character))
            {
                folded[length++] = char.ToLowerInvariant(character);
                continue;
            }

            if (IsMark(character))
                continue;

            var two = character switch { 'œ' or 'Œ' => "oe", 'æ' or 'Æ' => "ae", 'ß' or 'ẞ' => "ss", _ => "" };
            if (two.Length > 0)
            {
                two.CopyTo(folded[length..]);
                length += 2;
                continue;
            }

            var plain = character switch
            {
                >= '\u00C0' and <= '\u017F' => Latin[character - '\u00C0'],
                >= '\u1E00' and <= '\u1EFF' => LatinAdditional[character - '\u1E00'],
                _ => '.',
            };
            folded[length++] = plain == '.' ? char.ToLowerInvariant(character) : plain;
        }

        return folded[..length];
    }

    /// <summary>Without the ending of most English and French plurals; a word that loses its last letter for another reason loses it everywhere.</summary>
    private static ReadOnlySpan<char> Singular(ReadOnlySpan<char> word)
    {
        const int shortest = 4;
        return word.Length >= shortest && char.IsLetter(word[^2]) && ((word[^1] == 's' && word[^2] != 's') || word.EndsWith("aux") || word.EndsWith("eux"))
            ? word[..^1]
            : word;
    }
}
