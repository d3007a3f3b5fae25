using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ComfyAuth.Secrets;

/// <summary>
/// Asks bcrypt each question once: a thousand stacks that share one credential cost one computation. Safe for concurrent
/// use; of two equal questions at the same time one computes and the other waits.
/// </summary>
/// <remarks>Answers are kept under an HMAC of the question, so no password is held as a key.</remarks>
public sealed class PasswordVerifier
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, Answer<bool>> _verified = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Answer<BcryptHash>> _hashed = new(StringComparer.Ordinal);
    private int _computations;

    /// <summary>How often bcrypt was really computed to its end.</summary>
    public int Computations => Volatile.Read(ref _computations);

    /// <summary>Whether a hash is of a password.</summary>
    /// <param name="password">The password.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="cancellationToken">Ends the computation, or the wait for another caller's; the next caller starts anew.</param>
    /// <returns>What <see cref="Bcrypt.Verify(SecretText, BcryptHash, CancellationToken)"/> answers.</returns>
    /// <exception cref="ArgumentException">The hash is <c>default</c>.</exception>
    public bool Verify(SecretText password, BcryptHash hash, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(password);
        if (hash.IsDefault)
            throw new ArgumentException("There is no hash to verify against.", nameof(hash));

        return Once(_verified, Key(hash.Reveal(), password), () => Bcrypt.Verify(password, hash, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Hashes a password under a new salt at the first call, and gives the same hash at every later one with the same
    /// cost. For a new hash of the same password, take a new instance.
    /// </summary>
    /// <param name="password">The password.</param>
    /// <param name="cost">Binary logarithm of the number of rounds, 4 to 31.</param>
    /// <param name="cancellationToken">Ends the computation, or the wait for another caller's; the next caller starts anew.</param>
    /// <returns>A hash of which <see cref="Verify"/> knows without computing that it is of the password.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>PasswordTooLong</c>, <c>PasswordHasNul</c> or <c>PasswordNotUnicode</c>: ComfyUI-Login could not log in with it.
    /// </exception>
    public BcryptHash Hash(SecretText password, int cost = Bcrypt.DefaultCost, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(password);
        var hash = Once(_hashed, Key(cost.ToString(CultureInfo.InvariantCulture), password), () => Bcrypt.Hash(password, cost, cancellationToken), cancellationToken);
        _verified.TryAdd(Key(hash.Reveal(), password), new Answer<bool> { Value = true });
        return hash;
    }

    private T Once<T>(ConcurrentDictionary<string, Answer<T>> answers, string key, Func<T> compute, CancellationToken cancellationToken)
        where T : struct
    {
        var answer = answers.GetOrAdd(key, static _ => new Answer<T>());
        answer.Gate.Wait(cancellationToken);
        try
        {
            if (answer.Value is not { } value)
            {
                answer.Value = value = compute();
                Interlocked.Increment(ref _computations);
            }

            return value;
        }
        finally
        {
            answer.Gate.Release();
        }
    }

    /// <summary>The HMAC of a question; neither a hash nor a cost holds a NUL, so the two parts cannot run together.</summary>
    private string Key(string subject, SecretText password)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        mac.AppendData(MemoryMarshal.AsBytes(subject.AsSpan()));
        mac.AppendData([0, 0]);
        mac.AppendData(MemoryMarshal.AsBytes(password.Reveal().AsSpan()));
        return Convert.ToHexString(mac.GetHashAndReset());
    }

    private sealed class Answer<T>
        where T : struct
    {
        // Never asked for its wait handle, so there is nothing to dispose of.
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public T? Value { get; set; }
    }
}
