using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ComfyAuth.Notebooks;

/// <summary>
/// Tells at the speed of memory where in a text a secret may be: three bytes decide by one multiplication and one bit, and only
/// where they say yes anything more is compared. Letter case does not matter. Immutable.
/// </summary>
internal sealed class SecretTriggers
{
    private const int FilterBits = 16;
    private const int PrefixLength = 3;
    private const int LongestTrigger = 8;

    // How far behind the name of a secret its value may begin.
    private const int Reach = 24;

    private static readonly SearchValues<byte> EndsOfUser = SearchValues.Create("/@ \"'\n"u8);

    private static readonly string[] Shapes =
        ["$2a", "$2b", "$2y", "2a$", "2b$", "2y$", "2b\\$", "2b%24", "hf_", "sk-", "private key", "bearer "];

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
        Address,
    }

    /// <summary>Makes triggers for what secrets look like, and for known ones.</summary>
    /// <param name="known">Texts that are secrets, whatever they look like.</param>
    public SecretTriggers(IEnumerable<string> known)
    {
        _byPrefix = Shapes.Concat(known).Select(text => (text, TriggerKind.Secret))
            .Concat(Names.Select(name => (name, TriggerKind.Name)))
            .Append(("://", TriggerKind.Address))
            .Select(trigger => new Trigger([.. Encoding.UTF8.GetBytes(trigger.Item1).Take(LongestTrigger).Select(Fold)], trigger.Item2))
            .Where(trigger => trigger.Text.Length >= PrefixLength)
            .GroupBy(trigger => (uint)(trigger.Text[0] | (trigger.Text[1] << 8) | (trigger.Text[2] << 16)))
            .ToDictionary(group => group.Key, group => group.ToArray());
        foreach (var prefix in _byPrefix.Keys)
            _filter[Bit(prefix) / 64] |= 1UL << (Bit(prefix) % 64);
    }

    /// <summary>The first place, from a place on, at which a secret may begin or be announced; -1 when there is none.</summary>
    public int Next(ReadOnlySpan<byte> text, int from)
    {
        ref var first = ref MemoryMarshal.GetReference(text);
        var last = text.Length - sizeof(uint);
        for (var i = from; i <= last; i++)
        {
            var prefix = (Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref first, i)) | 0x202020) & 0xFFFFFF;
            var bit = Bit(prefix);
            if ((_filter[bit / 64] & (1UL << (bit % 64))) != 0 && IsTrigger(prefix, text[i..]))
                return i;
        }

        return -1;
    }

    private static byte Fold(byte value) => (byte)(value | 0x20);

    private static int Bit(uint prefix) => (int)((prefix * 0x9E3779B1) >> (32 - FilterBits));

    private bool IsTrigger(uint prefix, ReadOnlySpan<byte> text)
    {
        if (!_byPrefix.TryGetValue(prefix, out var triggers))
            return false;
        foreach (var trigger in triggers)
        {
            if (Begins(text, trigger))
                return true;
        }

        return false;
    }

    private static bool Begins(ReadOnlySpan<byte> text, Trigger trigger)
    {
        if (text.Length < trigger.Text.Length)
            return false;
        for (var i = PrefixLength; i < trigger.Text.Length; i++)
        {
            if (Fold(text[i]) != trigger.Text[i])
                return false;
        }

        return trigger.Kind switch
        {
            TriggerKind.Name => text[..Math.Min(text.Length, Reach)].IndexOfAny((byte)'=', (byte)':') > 0,
            TriggerKind.Address => HasUser(text[trigger.Text.Length..]),
            _ => true,
        };
    }

    private static bool HasUser(ReadOnlySpan<byte> address)
    {
        var end = address.IndexOfAny(EndsOfUser);
        return end > 0 && address[end] == (byte)'@';
    }

    private sealed record Trigger(byte[] Text, TriggerKind Kind);
}
