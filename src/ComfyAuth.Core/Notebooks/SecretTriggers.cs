using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace ComfyAuth.Notebooks;

/// <summary>
/// Tells at the speed of memory where in a text of JSON, with its escapes, a secret may be: of sixteen places at once, three bytes at each
/// decide by tables of their halves, and only where they say yes anything more is compared. Letter case does not matter. Immutable.
/// </summary>
internal sealed class SecretTriggers
{
    private const int PrefixLength = 3;
    private const int Buckets = 8;
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

    private readonly Dictionary<uint, Trigger[]> _byPrefix;

    // For each half of each byte of a prefix: in which of eight groups of prefixes it stands there, a bit for each.
    private readonly Vector128<byte> _low0, _high0, _low1, _high1, _low2, _high2;

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

        // Neighbours share most of their halves, so that a group lets little else through.
        var groups = _byPrefix.Keys.OrderBy(BinaryPrimitives.ReverseEndianness).Select((prefix, index) => (prefix, Bit: (byte)(1 << (index * Buckets / _byPrefix.Count)))).ToList();
        (_low0, _high0) = (Table(0), Table(4));
        (_low1, _high1) = (Table(8), Table(12));
        (_low2, _high2) = (Table(16), Table(20));

        Vector128<byte> Table(int shift)
        {
            var table = new byte[Vector128<byte>.Count];
            foreach (var (prefix, bit) in groups)
                table[(prefix >> shift) & 0xF] |= bit;
            return Vector128.Create(table);
        }
    }

    /// <summary>The first place, from a place on, at which a secret is or is announced; -1 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Next(ReadOnlySpan<byte> text, int from)
    {
        var at = from;
        if (Ssse3.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            ref var first = ref MemoryMarshal.GetReference(text);
            for (; at <= text.Length - Vector128<byte>.Count - (PrefixLength - 1); at += Vector128<byte>.Count)
            {
                var groups = GroupsOf(Vector128.LoadUnsafe(ref first, (nuint)at), _low0, _high0)
                    & GroupsOf(Vector128.LoadUnsafe(ref first, (nuint)at + 1), _low1, _high1)
                    & GroupsOf(Vector128.LoadUnsafe(ref first, (nuint)at + 2), _low2, _high2);
                if (groups == Vector128<byte>.Zero)
                    continue;
                for (var places = ~Vector128.Equals(groups, Vector128<byte>.Zero).ExtractMostSignificantBits() & ushort.MaxValue; places != 0; places &= places - 1)
                {
                    var place = at + BitOperations.TrailingZeroCount(places);
                    if (IsTrigger(text[place..]))
                        return place;
                }
            }
        }

        for (; at <= text.Length - PrefixLength; at++)
        {
            if (IsTrigger(text[at..]))
                return at;
        }

        return -1;
    }

    /// <summary>For each of sixteen bytes, the groups that have it, in any case, at a place of their prefixes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> GroupsOf(Vector128<byte> bytes, Vector128<byte> low, Vector128<byte> high)
    {
        bytes |= Vector128.Create((byte)0x20);
        return Look(low, bytes & Vector128.Create((byte)0xF)) & Look(high, Vector128.ShiftRightLogical(bytes, 4));

        static Vector128<byte> Look(Vector128<byte> table, Vector128<byte> index) =>
            Ssse3.IsSupported ? Ssse3.Shuffle(table, index) : AdvSimd.Arm64.VectorTableLookup(table, index);
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

    private bool IsTrigger(ReadOnlySpan<byte> text)
    {
        if (!_byPrefix.TryGetValue((uint)(Fold(text[0]) | (Fold(text[1]) << 8) | (Fold(text[2]) << 16)), out var triggers))
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
