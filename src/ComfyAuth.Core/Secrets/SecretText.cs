using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ComfyAuth.Secrets;

/// <summary>
/// A raw password or an API key. Only <see cref="Reveal"/> gives the text; formatting, logging, serialising and the
/// debugger do not show it.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class SecretText : IEquatable<SecretText>
{
    private static readonly byte[] FingerprintKey = RandomNumberGenerator.GetBytes(32);

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _text;

    /// <summary>Takes a secret.</summary>
    /// <param name="text">The secret; not empty, because an empty token opens ComfyUI-Login to everyone.</param>
    /// <exception cref="ArgumentException">The text is null or empty.</exception>
    public SecretText(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        _text = text;
    }

    /// <summary>
    /// 8 lower-case hexadecimal digits, equal for equal secrets inside this process and different in the next one.
    /// </summary>
    /// <remarks>
    /// They are of an HMAC-SHA256 under a key that is random for each process. A plain hash would let anyone who sees it
    /// try passwords at the speed of SHA-256, millions of times that of the bcrypt hash that protects the password.
    /// </remarks>
    public string Fingerprint => Convert.ToHexString(Mac(), 0, 4).ToLowerInvariant();

    /// <summary>Whether two secrets are the same text.</summary>
    public static bool operator ==(SecretText? left, SecretText? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether two secrets are different texts.</summary>
    public static bool operator !=(SecretText? left, SecretText? right) => !(left == right);

    /// <summary>The text itself.</summary>
    public string Reveal() => _text;

    /// <summary>Whether two secrets are the same text; takes the same time wherever they differ.</summary>
    public bool Equals([NotNullWhen(true)] SecretText? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Bytes, other.Bytes);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as SecretText);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(Mac());

    /// <summary>Always <c>[redacted]</c>.</summary>
    public override string ToString() => SecretRedactor.Mark;

    private ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(_text.AsSpan());

    private byte[] Mac() => HMACSHA256.HashData(FingerprintKey, Bytes);
}
