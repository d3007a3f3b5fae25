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

    /// <summary>JSON, with the character that escapes begin with.</summary>
    public static (char Trigger, Unescape Unescape) JsonDecoder { get; } = ('\\', Json);

    /// <summary>All decoders, with the character that escapes begin with.</summary>
    public static (char Trigger, Unescape Unescape)[] Decoders { get; } =
    [
        JsonDecoder,
        ('%', Percent),
        ('&', Html),
        ('$', Doubled),
        ('\'', Doubled),
        ('\'', LeftQuotes),
        ('\\', Escaped),
        ('`', Escaped),
    ];

    /// <summary>The decoded text.</summary>
    public string Text { get; }

    /// <summary>Where in the original text a character of <see cref="Text"/>, or its end, came from.</summary>
    public int Original(int position) => _starts[position];

    /// <summary>Undoes one kind of escaping.</summary>
    /// <returns>The view, or null when nothing was escaped in this way.</returns>
    public static DecodedView? Of(string text, (char Trigger, Unescape Unescape) decoder)
    {
        if (!text.Contains(decoder.Trigger, StringComparison.Ordinal))
            return null;

        var characters = new char[text.Length];
        var starts = new int[text.Length + 1];
        var length = 0;
        Span<char> decoded = stackalloc char[2];
        for (var i = 0; i < text.Length;)
        {
            decoded.Clear();
            var read = text[i] == decoder.Trigger ? decoder.Unescape(text, i, decoded) : 0;
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

    /// <summary>A dollar sign in a Compose file, a single quote inside single quotes in YAML and PowerShell.</summary>
    private static int Doubled(string text, int position, Span<char> decoded) =>
        position + 1 < text.Length && text[position + 1] == text[position] ? Take(text[position], 2, decoded) : 0;

    /// <summary>A single quote inside single quotes in a shell, which leaves them and enters them again.</summary>
    private static int LeftQuotes(string text, int position, Span<char> decoded)
    {
        const string left = @"'\''";
        return string.CompareOrdinal(text, position, left, 0, left.Length) == 0 ? Take('\'', left.Length, decoded) : 0;
    }

    /// <summary>A character after the backslash of a shell or the backtick of PowerShell.</summary>
    private static int Escaped(string text, int position, Span<char> decoded) =>
        position + 1 < text.Length && !char.IsLetterOrDigit(text[position + 1]) ? Take(text[position + 1], 2, decoded) : 0;

    private static int Take(char character, int read, Span<char> decoded)
    {
        decoded[0] = character;
        return read;
    }
}
