using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ComfyAuth.Tests.Comfy;

/// <summary>Writes PNGs of every form, right ones and wrong ones.</summary>
public sealed record SamplePng(int Width, int Height)
{
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public byte Kind { get; init; } = 2;

    public int Depth { get; init; } = 8;

    public bool IsInterlaced { get; init; }

    /// <summary>The filter of each row, by its number.</summary>
    public Func<int, int> Filter { get; init; } = row => row % 5;

    public byte[]? Palette { get; init; }

    public byte[]? Transparency { get; init; }

    /// <summary>The samples of a pixel, each as large as the depth allows.</summary>
    public required Func<int, int, int[]> Pixel { get; init; }

    public static byte[] Of(int width, int height, Func<int, int, int[]> pixel) => new SamplePng(width, height) { Pixel = pixel }.ToBytes();

    public static byte[] Chunk(string type, ReadOnlySpan<byte> content)
    {
        var chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(content.Length + 8), Crc(chunk.AsSpan(4, content.Length + 4)));
        return chunk;
    }

    public static byte[] Header(uint width, uint height, byte depth = 8, byte kind = 2, byte interlaced = 0, byte compression = 0)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[10], header[12]) = (depth, kind, compression, interlaced);
        return Chunk("IHDR", header);
    }

    public static byte[] File(params byte[][] chunks) => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. chunks.SelectMany(chunk => chunk)];

    public static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var stream = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(bytes);
        return packed.ToArray();
    }

    public byte[] ToBytes()
    {
        var raw = new List<byte>();
        foreach (var (startX, startY, stepX, stepY) in IsInterlaced ? Adam7 : [(0, 0, 1, 1)])
        {
            if (startX >= Width || startY >= Height)
                continue;
            var before = Array.Empty<byte>();
            for (int y = startY, row = 0; y < Height; y += stepY, row++)
            {
                var bits = new List<int>();
                for (var x = startX; x < Width; x += stepX)
                    bits.AddRange(Pixel(x, y));
                var bytes = Bytes(bits);
                if (before.Length == 0)
                    before = new byte[bytes.Length];
                raw.AddRange(Filtered(bytes, before, Filter(row)));
                before = bytes;
            }
        }

        var packed = Pack([.. raw]);
        return File(
        [
            Header((uint)Width, (uint)Height, (byte)Depth, Kind, (byte)(IsInterlaced ? 1 : 0)),
            Chunk("tEXt", "prompt\0{}"u8),
            .. Palette is null ? Array.Empty<byte[]>() : [Chunk("PLTE", Palette)],
            .. Transparency is null ? Array.Empty<byte[]>() : [Chunk("tRNS", Transparency)],
            Chunk("IDAT", packed.AsSpan(0, packed.Length / 2)),
            Chunk("IDAT", packed.AsSpan(packed.Length / 2)),
            Chunk("IEND", []),
        ]);
    }

    private byte[] Bytes(List<int> samples)
    {
        if (Depth == 16)
            return [.. samples.SelectMany(sample => new[] { (byte)(sample >> 8), (byte)sample })];
        var bytes = new byte[((samples.Count * Depth) + 7) / 8];
        for (var i = 0; i < samples.Count; i++)
            bytes[i * Depth / 8] |= (byte)(samples[i] << (8 - Depth - (i * Depth % 8)));
        return bytes;
    }

    private byte[] Filtered(byte[] row, byte[] before, int filter)
    {
        var distance = Math.Max(1, (Kind switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 }) * Depth / 8);
        return
        [
            (byte)filter,
            .. row.Select((value, i) =>
            {
                int left = i >= distance ? row[i - distance] : 0, up = before[i], corner = i >= distance ? before[i - distance] : 0;
                var (toLeft, toUp, toCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - corner - corner));
                var predicted = filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, 4 => toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner, _ => 0 };
                return (byte)(value - predicted);
            }),
        ];
    }

    // Bit by bit, as the standard says it; not ours.
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }

        return ~crc;
    }
}
