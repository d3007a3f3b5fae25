using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace ComfyAuth.Secrets;

/// <summary>
/// A text with one kind of escaping undone, and where each of its characters came from. Secrets are looked for here
/// instead of escaping them in every way that writers do: which characters they escape, and how, differs.
/// </summary>
internal sealed class DecodedView
{
    private readonly int[] _starts;

    private DecodedView(string text, int[] starts)
    {
        Text = text;
        _starts = starts;
    }

    /// <summary>Reads what stands at a position.</summary>
    /// <param name="text">The escaped text.</param>
    /// <param name="position">Where to read.</param>
    /// <param name="decoded">Takes the characters that it stands for; two for a character beyond the basic plane.</param>
    /// <returns>How many characters were read, or 0 where nothing is escaped.</returns>
    public delegate int Unescape(string text, int position, Span<char> decoded);

    /// <summary>The decoders, with the character without which they have nothing to do.</summary>
    public static (string Trigger, Unescape Unescape)[] Decoders { get; } =
    [
        ("%", Percent),
        ("\\", Json),
        ("&", Html),
        ("$'`\\", Shell),
    ];

    /// <summary>The decoded text.</summary>
    public string Text { get; }

    /// <summary>Where in the original text a character of <see cref="Text"/>, or its end, came from.</summary>
    public int Original(int position) => _starts[position];

    /// <summary>Undoes one kind of escaping.</summary>
    /// <returns>The view, or null when nothing was escaped in this way.</returns>
    public static DecodedView? Of(string text, (string Trigger, Unescape Unescape) decoder)
    {
        var first = text.AsSpan().IndexOfAny(decoder.Trigger);
        if (first < 0)
            return null;

        var characters = new char[text.Length];
        var starts = new int[text.Length + 1];
        var length = 0;
        Span<char> decoded = stackalloc char[2];
        for (var i = 0; i < text.Length;)
        {
            decoded.Clear();
            var read = i >= first && decoder.Trigger.Contains(text[i], StringComparison.Ordinal) ? decoder.Unescape(text, i, decoded) : 0;
            starts[length] = i;
            characters[length++] = read == 0 ? text[i] : decoded[0];
            if (read != 0 && decoded[1] != '\0')
            {
                starts[length] = i;
                characters[length++] = decoded[1];
            }

            i += Math.Max(read, 1);
        }

        starts[length] = text.Length;
        return length == text.Length ? null : new DecodedView(new string(characters, 0, length), starts);
    }

    /// <summary>RFC 3986, with the bytes of UTF-8.</summary>
    private static int Percent(string text, int position, Span<char> decoded)
    {
        Span<byte> bytes = stackalloc byte[4];
        var count = 0;
        while (count < 4 && HexByte(text, position + (3 * count), out bytes[count]))
            count++;
        return Rune.DecodeFromUtf8(bytes[..count], out var rune, out var used) == OperationStatus.Done && rune.TryEncodeToUtf16(decoded, out _)
            ? 3 * used
            : 0;
    }

    private static bool HexByte(string text, int position, out byte value)
    {
        value = 0;
        return position + 2 < text.Length && text[position] == '%'
            && byte.TryParse(text.AsSpan(position + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>RFC 8259, section 7.</summary>
    private static int Json(string text, int position, Span<char> decoded)
    {
        if (position + 1 >= text.Length)
            return 0;

        if (text[position + 1] == 'u')
        {
            if (position + 6 > text.Length || !ushort.TryParse(text.AsSpan(position + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
                return 0;
            decoded[0] = (char)unit;
            return 6;
        }

        const string escaped = "\"\\/bfnrt";
        var which = escaped.IndexOf(text[position + 1], StringComparison.Ordinal);
        if (which < 0)
            return 0;
        decoded[0] = "\"\\/\b\f\n\r\t"[which];
        return 2;
    }

    /// <summary>Character references of HTML and XML.</summary>
    private static int Html(string text, int position, Span<char> decoded)
    {
        const int longest = 10;
        var length = text.AsSpan(position, Math.Min(longest, text.Length - position)).IndexOf(';') + 1;
        if (length == 0)
            return 0;
        var reference = text.Substring(position, length);
        var character = WebUtility.HtmlDecode(reference);
        if (character == reference || character.Length > decoded.Length)
            return 0;
        character.CopyTo(decoded);
        return length;
    }

    /// <summary>What Compose, shells and YAML do to a value: <c>$$</c>, <c>\x</c>, <c>`x</c>, <c>''</c>, <c>'\''</c>.</summary>
    private static int Shell(string text, int position, Span<char> decoded)
    {
        if (string.CompareOrdinal(text, position, @"'\''", 0, 4) == 0)
        {
            decoded[0] = '\'';
            return 4;
        }

        if (position + 1 >= text.Length)
            return 0;
        var next = text[position + 1];
        var doubled = text[position] is '$' or '\'';
        if (doubled ? next != text[position] : char.IsLetterOrDigit(next) || char.IsWhiteSpace(next))
            return 0;
        decoded[0] = next;
        return 2;
    }
}
