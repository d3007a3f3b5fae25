using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ComfyAuth.Secrets;

/// <summary>
/// Finds many known secrets in one pass. Immutable. Four characters are 64 bits: whether any secret begins with the four at
/// a position is one multiplication and one bit.
/// </summary>
internal sealed class KnownSecretIndex
{
    /// <summary>A known secret of fewer characters is not searched for: it would shred every text.</summary>
    public const int MinimumLength = 4;

    private const int FilterBits = 14;

    private readonly ulong[] _filter = new ulong[(1 << FilterBits) / 64];
    private readonly Dictionary<ulong, (string Text, string Replacement)[]> _byPrefix;

    /// <summary>Makes an index of secrets and of what to show in their place.</summary>
    public KnownSecretIndex(IReadOnlyDictionary<string, string> replacements)
    {
        var forms = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (secret, replacement) in replacements)
        {
            foreach (var form in Forms(secret))
            {
                if (form.Length >= MinimumLength)
                    forms.TryAdd(form, form == secret ? replacement : SecretRedactor.Mark);
            }
        }

        // A secret may be equal to a form of another; what was registered for it goes first.
        foreach (var (secret, replacement) in replacements)
        {
            if (forms.ContainsKey(secret))
                forms[secret] = replacement;
        }

        _byPrefix = forms
            .GroupBy(form => Prefix(form.Key, 0))
            .ToDictionary(group => group.Key, group => group.OrderByDescending(form => form.Key.Length).Select(form => (form.Key, form.Value)).ToArray());
        foreach (var prefix in _byPrefix.Keys)
        {
            var bit = FilterBit(prefix);
            _filter[bit / 64] |= 1UL << (bit % 64);
        }
    }

    /// <summary>Whether nothing can be found.</summary>
    public bool IsEmpty => _byPrefix.Count == 0;

    /// <summary>The texts that are looked for: each secret, and what it looks like in base64.</summary>
    public IEnumerable<string> Texts => _byPrefix.Values.SelectMany(forms => forms.Select(form => form.Text));

    /// <summary>Reports, for each position, the longest secret that begins there.</summary>
    public void Find(string text, Action<int, int, string> found)
    {
        for (var i = 0; i <= text.Length - MinimumLength; i++)
        {
            var prefix = Prefix(text, i);
            var bit = FilterBit(prefix);
            if ((_filter[bit / 64] & (1UL << (bit % 64))) == 0 || !_byPrefix.TryGetValue(prefix, out var candidates))
                continue;

            foreach (var (secret, replacement) in candidates)
            {
                if (string.CompareOrdinal(text, i, secret, 0, secret.Length) == 0)
                {
                    found(i, i + secret.Length, replacement);
                    break;
                }
            }
        }
    }

    private static IEnumerable<string> Forms(string secret)
    {
        yield return secret;
        if (secret.Length < MinimumLength)
            yield break;

        // application/x-www-form-urlencoded
        yield return secret.Replace(' ', '+');

        // Base64 of a longer text that holds the secret: it can begin at each of the three bytes of a group. The
        // characters at both ends that neighbouring bytes have a part in are left out.
        var bytes = Encoding.UTF8.GetBytes(secret);
        for (var before = 0; before < 3; before++)
        {
            var base64 = Convert.ToBase64String([.. new byte[before], .. bytes]);
            var start = ((before * 8) + 5) / 6;
            var end = (before + bytes.Length) * 8 / 6;
            if (before == 0)
                yield return base64;
            if (end - start < MinimumLength)
                continue;
            var inner = base64[start..end];
            yield return inner;
            yield return inner.Replace('+', '-').Replace('/', '_');
        }
    }

    private static ulong Prefix(string text, int start) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<char, byte>(ref Unsafe.Add(ref MemoryMarshal.GetReference(text.AsSpan()), start)));

    private static int FilterBit(ulong prefix) => (int)((prefix * 0x9E3779B97F4A7C15) >> (64 - FilterBits));
}
