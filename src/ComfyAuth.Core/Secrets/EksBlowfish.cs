using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace ComfyAuth.Secrets;

/// <summary>The expensive key schedule of bcrypt over the Blowfish cipher.</summary>
internal static unsafe class EksBlowfish
{
    // The state is one block of memory, the 18 subkeys and then the four S-boxes, as it is expanded and as pi fills it.
    private const int SubkeyWords = 18;
    private const int BoxWords = 256;
    private const int StateWords = SubkeyWords + (4 * BoxWords);
    private const int CacheLineBytes = 64;
    private const int RoundsBetweenCancellationChecks = 256;

    /// <summary>Computes the digest of bcrypt.</summary>
    /// <param name="key">The password; bytes after the 72nd are not read.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="cost">Binary logarithm of the number of rounds.</param>
    /// <param name="digest">Takes 23 bytes.</param>
    /// <param name="cancellationToken">Looked at every 256 rounds.</param>
    public static void Digest(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, int cost, Span<byte> digest, CancellationToken cancellationToken)
    {
        var memory = stackalloc uint[StateWords + (CacheLineBytes / sizeof(uint))];
        var keyWords = stackalloc uint[SubkeyWords];
        var saltWords = stackalloc uint[SubkeyWords];

        // The S-boxes begin on a cache line, so they fill 64 lines and not 65.
        var boxes = ((nuint)(memory + SubkeyWords) + CacheLineBytes - 1) & ~(nuint)(CacheLineBytes - 1);
        var state = (uint*)boxes - SubkeyWords;
        try
        {
            Pi.Fraction.CopyTo(new Span<uint>(state, StateWords));
            LoadKey(key, keyWords);
            for (var i = 0; i < SubkeyWords; i++)
                saltWords[i] = BinaryPrimitives.ReadUInt32BigEndian(salt[(i % 4 * 4)..]);

            Mix(state, keyWords);
            ExpandWithSalt(state, saltWords);

            var rounds = 1L << cost;
            for (var round = 0L; round < rounds; round++)
            {
                if (round % RoundsBetweenCancellationChecks == 0)
                    cancellationToken.ThrowIfCancellationRequested();
                Mix(state, keyWords);
                Expand(state);
                Mix(state, saltWords);
                Expand(state);
            }

            EncryptMagic(state, digest);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(state, StateWords * sizeof(uint)));
            CryptographicOperations.ZeroMemory(new Span<byte>(keyWords, SubkeyWords * sizeof(uint)));
        }
    }

    /// <summary>Cycles the password and its NUL over the 72 bytes of the subkeys.</summary>
    private static void LoadKey(ReadOnlySpan<byte> key, uint* words)
    {
        var next = 0;
        for (var i = 0; i < SubkeyWords; i++)
        {
            uint word = 0;
            for (var j = 0; j < 4; j++)
            {
                word = (word << 8) | (next < key.Length ? key[next] : 0u);
                next = next < key.Length ? next + 1 : 0;
            }

            words[i] = word;
        }
    }

    private static void Mix(uint* state, uint* words)
    {
        for (var i = 0; i < SubkeyWords; i++)
            state[i] ^= words[i];
    }

    private static void ExpandWithSalt(uint* state, uint* saltWords)
    {
        uint left = 0, right = 0;
        for (var i = 0; i < StateWords; i += 2)
        {
            left ^= saltWords[i % 4];
            right ^= saltWords[(i % 4) + 1];
            Encrypt(state, ref left, ref right);
            state[i] = left;
            state[i + 1] = right;
        }
    }

    // All the time of bcrypt passes here. Compiled at once in full: the method runs long before it is called often.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Expand(uint* state)
    {
        uint left = 0, right = 0;
        var end = state + StateWords;
        for (var next = state; next != end; next += 2)
        {
            Encrypt(state, ref left, ref right);
            next[0] = left;
            next[1] = right;
        }
    }

    private static void EncryptMagic(uint* state, Span<byte> digest)
    {
        var magic = "OrpheanBeholderScryDoubt"u8;
        Span<byte> encrypted = stackalloc byte[24];
        for (var i = 0; i < magic.Length; i += 8)
        {
            var left = BinaryPrimitives.ReadUInt32BigEndian(magic[i..]);
            var right = BinaryPrimitives.ReadUInt32BigEndian(magic[(i + 4)..]);
            for (var j = 0; j < 64; j++)
                Encrypt(state, ref left, ref right);
            BinaryPrimitives.WriteUInt32BigEndian(encrypted[i..], left);
            BinaryPrimitives.WriteUInt32BigEndian(encrypted[(i + 4)..], right);
        }

        // The format drops the 24th byte.
        encrypted[..digest.Length].CopyTo(digest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Encrypt(uint* state, ref uint left, ref uint right)
    {
        // The subkey is mixed in apart from F, so that it does not lengthen the chain that F waits for.
        var l = left ^ state[0];
        var r = right;
        r ^= state[1];
        r ^= F(state, l);
        l ^= state[2];
        l ^= F(state, r);
        r ^= state[3];
        r ^= F(state, l);
        l ^= state[4];
        l ^= F(state, r);
        r ^= state[5];
        r ^= F(state, l);
        l ^= state[6];
        l ^= F(state, r);
        r ^= state[7];
        r ^= F(state, l);
        l ^= state[8];
        l ^= F(state, r);
        r ^= state[9];
        r ^= F(state, l);
        l ^= state[10];
        l ^= F(state, r);
        r ^= state[11];
        r ^= F(state, l);
        l ^= state[12];
        l ^= F(state, r);
        r ^= state[13];
        r ^= F(state, l);
        l ^= state[14];
        l ^= F(state, r);
        r ^= state[15];
        r ^= F(state, l);
        l ^= state[16];
        l ^= F(state, r);
        left = r ^ state[17];
        right = l;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint F(uint* state, uint x)
    {
        var boxes = state + SubkeyWords;
        var sum = boxes[x >> 24] + (boxes + BoxWords)[Byte(x, 16)];
        return (sum ^ (boxes + (2 * BoxWords))[Byte(x, 8)]) + (boxes + (3 * BoxWords))[(byte)x];
    }

    // Each round waits for this: one instruction instead of two is 5 percent of the whole.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Byte(uint x, byte start) =>
        Bmi1.IsSupported ? Bmi1.BitFieldExtract(x, start, 8) : (byte)(x >> start);
}
