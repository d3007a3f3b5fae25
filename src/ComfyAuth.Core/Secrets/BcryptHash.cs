using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ComfyAuth.Secrets;

/// <summary>
/// A bcrypt hash, which is the bearer token of ComfyUI-Login and therefore a secret: only <see cref="Reveal"/> gives the
/// text, everything else (formatting, logging, serialising, the debugger) shows a fingerprint.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public readonly struct BcryptHash : IEquatable<BcryptHash>
{
    /// <summary>Characters of every hash.</summary>
    public const int Length = 60;

    private const string Alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int SaltStart = 7;
    private const int SaltCharacters = 22;
    private const int DigestStart = SaltStart + SaltCharacters;

    // 16 bytes fill 21 characters and 2 bits, 23 bytes 30 characters and 4 bits: the rest of the last one is zero.
    private const string LastOfSalt = ".Oeu";
    private const string LastOfDigest = ".CGKOSWaeimquy26";

    private static readonly SearchValues<char> AlphabetLetters = SearchValues.Create(Alphabet);

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string? _text;

    private BcryptHash(string text) => _text = text;

    /// <summary>Whether this is <c>default(BcryptHash)</c>, which is no hash at all.</summary>
    public bool IsDefault => _text is null;

    /// <summary><c>2a</c>, <c>2b</c> or <c>2y</c>; empty for <c>default</c>.</summary>
    public string Variant => _text is null ? "" : _text[1..3];

    /// <summary>Binary logarithm of the number of rounds, 4 to 31; 0 for <c>default</c>.</summary>
    public int Cost => _text is null ? 0 : int.Parse(_text.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>
    /// First 8 lower-case hexadecimal digits of the SHA-256 of the text; empty for <c>default</c>. It may be shown: the
    /// text holds a random salt of 128 bits, so it cannot be guessed from its fingerprint.
    /// </summary>
    public string Fingerprint =>
        _text is null ? "" : Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(_text)), 0, 4).ToLowerInvariant();

    /// <summary>Whether two hashes are the same text.</summary>
    public static bool operator ==(BcryptHash left, BcryptHash right) => left.Equals(right);

    /// <summary>Whether two hashes are different texts.</summary>
    public static bool operator !=(BcryptHash left, BcryptHash right) => !left.Equals(right);

    /// <summary>Reads a hash, strictly: nothing is trimmed or repaired.</summary>
    /// <exception cref="ComfyAuthException"><c>BcryptHashMalformed</c>: the message says which rule failed.</exception>
    public static BcryptHash Parse(string? text) => TryParse(text, out var hash, out var reason)
        ? hash
        : throw new ComfyAuthException("BcryptHashMalformed", $"This is not a bcrypt hash: {reason}.", "Give the whole hash, without quotes, escapes or spaces.");

    /// <summary>Reads a hash, strictly: nothing is trimmed or repaired.</summary>
    public static bool TryParse(string? text, out BcryptHash hash) => TryParse(text, out hash, out _);

    /// <summary>Reads a hash, strictly: nothing is trimmed or repaired.</summary>
    /// <param name="text">The text.</param>
    /// <param name="hash">The hash, or <c>default</c>.</param>
    /// <param name="reason">The rule that failed, to follow "it is no hash:"; it quotes nothing of the text.</param>
    /// <returns>Whether the text is a hash.</returns>
    public static bool TryParse(string? text, out BcryptHash hash, [NotNullWhen(false)] out string? reason)
    {
        reason = BrokenRule(text);
        hash = reason is null ? new BcryptHash(text!) : default;
        return reason is null;
    }

    /// <summary>The text itself, which is a secret.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>: an empty token would open the server to everyone.</exception>
    public string Reveal() => _text ?? throw new InvalidOperationException("There is no hash: this is default(BcryptHash).");

    /// <summary>Whether two hashes are the same text; compared in constant time.</summary>
    public bool Equals(BcryptHash other) => IsDefault || other.IsDefault
        ? IsDefault == other.IsDefault
        : CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(_text.AsSpan()), MemoryMarshal.AsBytes(other._text.AsSpan()));

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is BcryptHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _text is null ? 0 : string.GetHashCode(_text, StringComparison.Ordinal);

    /// <summary>The redacted form, <c>bcrypt:</c> and the fingerprint; <c>bcrypt:none</c> for <c>default</c>.</summary>
    public override string ToString() => _text is null ? "bcrypt:none" : $"bcrypt:{Fingerprint}";

    internal static BcryptHash FromParts(int cost, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> digest)
    {
        var text = new StringBuilder(Length);
        text.Append(CultureInfo.InvariantCulture, $"$2b${cost:00}$");
        Encode(salt, text);
        Encode(digest, text);
        return new BcryptHash(text.ToString());
    }

    internal void CopyPartsTo(Span<byte> salt, Span<byte> digest)
    {
        Decode(_text.AsSpan(SaltStart, SaltCharacters), salt);
        Decode(_text.AsSpan(DigestStart), digest);
    }

    private static string? BrokenRule(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "it is empty";
        if (text.StartsWith("$2x$", StringComparison.Ordinal))
            return "$2x$ marks the sign-extension bug of crypt_blowfish before 1.1, under which different passwords share a hash";
        if (!text.StartsWith("$2a$", StringComparison.Ordinal) && !text.StartsWith("$2b$", StringComparison.Ordinal) && !text.StartsWith("$2y$", StringComparison.Ordinal))
            return "it does not start with $2a$, $2b$ or $2y$";
        if (text.Length != Length)
            return $"it has {text.Length} characters and a hash has {Length}";
        if (!char.IsAsciiDigit(text[4]) || !char.IsAsciiDigit(text[5]) || text[6] != '$')
            return "after the variant, a cost of two digits and a dollar sign must follow";
        if (string.CompareOrdinal(text, 4, "04", 0, 2) < 0 || string.CompareOrdinal(text, 4, "31", 0, 2) > 0)
            return "its cost is not 04 to 31";

        var foreign = text.AsSpan(SaltStart).IndexOfAnyExcept(AlphabetLetters);
        if (foreign >= 0)
            return $"its character {SaltStart + foreign + 1} is not one of ./A-Za-z0-9";
        if (!LastOfSalt.Contains(text[DigestStart - 1], StringComparison.Ordinal))
            return $"its salt ends in a character other than {LastOfSalt}, so it was damaged";
        return LastOfDigest.Contains(text[^1], StringComparison.Ordinal)
            ? null
            : $"its digest ends in a character other than {LastOfDigest}, so it was damaged";
    }

    private static void Encode(ReadOnlySpan<byte> bytes, StringBuilder text)
    {
        var bits = 0;
        var count = 0;
        foreach (var value in bytes)
        {
            bits = (bits << 8) | value;
            for (count += 8; count >= 6; count -= 6)
                text.Append(Alphabet[(bits >> (count - 6)) & 63]);
        }

        if (count > 0)
            text.Append(Alphabet[(bits << (6 - count)) & 63]);
    }

    private static void Decode(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        var bits = 0;
        var count = 0;
        var next = 0;
        foreach (var character in text)
        {
            bits = (bits << 6) | Alphabet.IndexOf(character, StringComparison.Ordinal);
            count += 6;
            if (count < 8)
                continue;
            count -= 8;
            bytes[next++] = (byte)(bits >> count);
        }
    }
}
