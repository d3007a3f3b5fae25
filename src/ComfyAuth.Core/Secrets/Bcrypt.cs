using System.Security.Cryptography;
using System.Text;

namespace ComfyAuth.Secrets;

/// <summary>
/// The bcrypt password hash (Provos and Mazieres, "A Future-Adaptable Password Scheme", 1999), as ComfyUI-Login uses it:
/// the web password is hashed once, and the hash is the bearer token.
/// </summary>
public static class Bcrypt
{
    /// <summary>Cost that is used when none is given: 2^12 rounds, about 0.2 s.</summary>
    public const int DefaultCost = 12;

    /// <summary>Lowest cost of the format.</summary>
    public const int MinimumCost = 4;

    /// <summary>Highest cost of the format; it takes days.</summary>
    public const int MaximumCost = 31;

    /// <summary>Most bytes of UTF-8 that a password can have: bcrypt reads no further.</summary>
    public const int MaximumPasswordBytes = 72;

    internal const int SaltBytes = 16;
    internal const int DigestBytes = 23;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Hashes a password under a new random salt.</summary>
    /// <param name="password">At most 72 bytes of UTF-8, without NUL.</param>
    /// <param name="cost">Binary logarithm of the number of rounds, 4 to 31.</param>
    /// <param name="cancellationToken">Looked at every few milliseconds.</param>
    /// <returns>A <c>$2b$</c> hash.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>PasswordTooLong</c>, <c>PasswordHasNul</c> or <c>PasswordNotUnicode</c>: ComfyUI-Login could not log in with it.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The cost is not 4 to 31.</exception>
    public static BcryptHash Hash(SecretText password, int cost = DefaultCost, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(password);
        var key = KeyForNewHash(password);
        try
        {
            return Hash(key, RandomNumberGenerator.GetBytes(SaltBytes), cost, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Whether a hash is of a password.</summary>
    /// <remarks>
    /// A password of more than 72 bytes is cut there, as every C implementation does: the question is whether the hash
    /// belongs to it, and hashes made that way exist. <see cref="Hash(SecretText, int, CancellationToken)"/> makes none.
    /// </remarks>
    /// <param name="password">The password.</param>
    /// <param name="hash">A <c>$2a$</c>, <c>$2b$</c> or <c>$2y$</c> hash; the three are one function.</param>
    /// <param name="cancellationToken">Looked at every few milliseconds.</param>
    /// <returns>The answer, after a comparison in constant time.</returns>
    /// <exception cref="ArgumentException">The hash is <c>default</c>.</exception>
    public static bool Verify(SecretText password, BcryptHash hash, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(password);
        var key = Encoding.UTF8.GetBytes(password.Reveal());
        try
        {
            return Verify(key, hash, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    internal static BcryptHash Hash(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int cost, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, MinimumCost);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, MaximumCost);
        Span<byte> digest = stackalloc byte[DigestBytes];
        EksBlowfish.Digest(key, salt, cost, digest, cancellationToken);
        return BcryptHash.FromParts(cost, salt, digest);
    }

    internal static bool Verify(ReadOnlySpan<byte> key, BcryptHash hash, CancellationToken cancellationToken = default)
    {
        if (hash.IsDefault)
            throw new ArgumentException("There is no hash to verify against.", nameof(hash));

        Span<byte> salt = stackalloc byte[SaltBytes];
        Span<byte> expected = stackalloc byte[DigestBytes];
        Span<byte> actual = stackalloc byte[DigestBytes];
        hash.CopyPartsTo(salt, expected);
        EksBlowfish.Digest(key, salt, hash.Cost, actual, cancellationToken);
        return CryptographicOperations.FixedTimeEquals(expected, actual);
    }

    private static byte[] KeyForNewHash(SecretText password)
    {
        var text = password.Reveal();
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ComfyAuthException(
                "PasswordHasNul",
                "The password holds a NUL character, at which C implementations of bcrypt end it, so a different password would log in.",
                "Choose a password without NUL.");
        }

        byte[] key;
        try
        {
            key = StrictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            // The original exception names the character, so it is not passed on.
            throw new ComfyAuthException(
                "PasswordNotUnicode",
                "The password holds half of a surrogate pair, which has no UTF-8 form, so no browser could send it.",
                "Choose a password of complete Unicode characters.");
        }

        if (key.Length > MaximumPasswordBytes)
        {
            CryptographicOperations.ZeroMemory(key);
            throw new ComfyAuthException(
                "PasswordTooLong",
                $"The password has {key.Length} bytes in UTF-8 and bcrypt reads {MaximumPasswordBytes}; newer Python bcrypt raises above that, so the web login would answer 500.",
                $"Choose a password of at most {MaximumPasswordBytes} bytes (letters with accents take 2, most emoji 4).");
        }

        return key;
    }
}
