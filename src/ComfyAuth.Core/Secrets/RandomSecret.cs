using System.Security.Cryptography;

namespace ComfyAuth.Secrets;

/// <summary>New secrets from the operating system's random number generator.</summary>
public static class RandomSecret
{
    /// <summary>Fewest bytes a secret may have: 128 bits.</summary>
    public const int MinimumBytes = 16;

    /// <summary>
    /// Makes a secret in base64url without padding (RFC 4648, section 5): letters, digits, <c>-</c> and <c>_</c>, so it
    /// needs no quoting in any <c>.env</c>, shell, address or YAML file.
    /// </summary>
    /// <param name="bytes">Bytes of randomness, at least 16; 32 give 43 characters, which bcrypt can hash (up to 54 bytes can).</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 16 bytes would be weak.</exception>
    public static SecretText Create(int bytes = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, MinimumBytes);
        var base64 = Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes));
        return new SecretText(base64.TrimEnd('=').Replace('+', '-').Replace('/', '_'));
    }
}
