using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ComfyAuth.Notebooks;

/// <summary>
/// Tells at the speed of memory where in a text of JSON, with its escapes, a secret may be: three bytes decide by one multiplication and
/// one bit, and only where they say yes anything more is compared. Letter case does not matter. Immutable.
/// </summary>
internal sealed class SecretTriggers
{
    private const int FilterBits = 16;
    private const int PrefixLength = 3;
    private const int LongestPiece = 8;

    private static readonly SearchValues<byte> EndsOfUser = SearchValues.Create("/@ \\\"'"u8);

    // What is written as it is in every text of JSON.
    private static readonly SearchValues<char> Escaped = SearchValues.Create([.. Enumerable.Range(0, char.MaxValue + 1).Select(c => (char)c).Where(c => c is < ' ' or > '~' or '"' or '\\' or '/' or '<' or '>' or '&' or '+' or '\'' or '`')]);

    private static readonly string[] Shapes = ["$2a", "$2b", "$2y", "2a$", "2b$", "2y$", "2b\\", "2b%24", "hf_", "sk-", "private key"];

    private static readonly string[] Names =
    [
        "token", "password", "passwd", "passphrase", "secret", "aiohttp_session", "bcrypt_hash",
        "api_key", "api-key", "apikey", "access_key", "access-key", "accesskey", "private_key", "private-key", "privatekey",
    ];

    private readonly ulong[] _filter = new ulong[(1 << FilterBits) / 64];
    private readonly Dictionary<uint, Trigger[]> _byPrefix;

    private enum TriggerKind
    {
        Secret,
        Name,
        Bearer,
        Address,
    }

    /// <summary>Makes triggers for what secrets look like, and for known ones.</summary>
    /// <param name="known">Texts that are secrets, whatever they look like.</param>
    public SecretTriggers(IEnumerable<string> known)
    {
        _byPrefix = Shapes.Concat(known.Select(PlainPiece)).Select(text => (Text: text, Kind: TriggerKind.Secret))
            .Concat(Names.Select(name => (Text: name, Kind: TriggerKind.Name)))
            .Append((Text: "bearer ", Kind: TriggerKind.Bearer))
            .Append((Text: "://", Kind: TriggerKind.Address))
            .Select(trigger => new Trigger([.. Encoding.UTF8.GetBytes(trigger.Text).Select(Fold)], trigger.Kind))
            .Where(trigger => trigger.Text.Length >= PrefixLength)
            .GroupBy(trigger => (uint)(trigger.Text[0] | (trigger.Text[1] << 8) | (trigger.Text[2] << 16)))
            .ToDictionary(group => group.Key, group => group.ToArray());
        foreach (var prefix in _byPrefix.Keys)
            _filter[Bit(prefix) / 64] |= 1UL << (Bit(prefix) % 64);
    }

    /// <summary>The first place, from a place on, at which a secret is or is announced; -1 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Next(ReadOnlySpan<byte> text, int from)
    {
        ref var first = ref MemoryMarshal.GetReference(text);
        ref var filter = ref MemoryMarshal.GetArrayDataReference(_filter);
        var last = text.Length - sizeof(uint);
        for (var i = from; i <= last; i++)
        {
            var prefix = (Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref first, i)) | 0x202020) & 0xFFFFFF;
            var bit = Bit(prefix);
            if (((Unsafe.Add(ref filter, bit >> 6) >> bit) & 1) != 0 && IsTrigger(prefix, text[i..]))
                return i;
        }

        return -1;
    }

    /// <summary>The first part of a secret that no writer of JSON escapes; all of it where there is none.</summary>
    private static string PlainPiece(string secret)
    {
        for (var start = 0; start + PrefixLength <= secret.Length; start++)
        {
            var rest = secret.AsSpan(start, Math.Min(LongestPiece, secret.Length - start));
            var escaped = rest.IndexOfAny(Escaped);
            if (escaped is < 0 or >= PrefixLength)
                return (escaped < 0 ? rest : rest[..escaped]).ToString();
        }

        return secret;
    }

    private static byte Fold(byte value) => (byte)(value | 0x20);

    private static int Bit(uint prefix) => (int)((prefix * 0x9E3779B1) >> (32 - FilterBits));

    private bool IsTrigger(uint prefix, ReadOnlySpan<byte> text)
    {
        if (!_byPrefix.TryGetValue(prefix, out var triggers))
            return false;
        foreach (var trigger in triggers)
        {
            if (Begins(text, trigger.Text) && IsFollowed(text[trigger.Text.Length..], trigger.Kind))
                return true;
        }

        return false;
    }

    private static bool Begins(ReadOnlySpan<byte> text, byte[] trigger)
    {
        if (text.Length < trigger.Length)
            return false;
        for (var i = PrefixLength; i < trigger.Length; i++)
        {
            if (Fold(text[i]) != trigger[i])
                return false;
        }

        return true;
    }

    private static bool IsFollowed(ReadOnlySpan<byte> rest, TriggerKind kind)
    {
        switch (kind)
        {
            case TriggerKind.Name:
                return LeadsToLiteral(rest);
            case TriggerKind.Bearer:
                return rest is [not ((byte)'{' or (byte)'<' or (byte)'$' or (byte)'%' or (byte)'['), ..];
            case TriggerKind.Address:
                var end = rest.IndexOfAny(EndsOfUser);
                return end > 0 && rest[end] == (byte)'@';
            default:
                return true;
        }
    }

    /// <summary>Whether an assignment of a text in quotes follows a name.</summary>
    private static bool LeadsToLiteral(ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart("\"'\\]"u8).TrimStart(" \t"u8);
        return rest is [(byte)':' or (byte)'=', ..] && rest[1..].TrimStart(" \t"u8).TrimStart((byte)'\\') is [(byte)'"' or (byte)'\'', ..];
    }

    private sealed record Trigger(byte[] Text, TriggerKind Kind);
}
