using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>Writes pictures as PNG, and reads those of eight bits a channel that are not interlaced.</summary>
internal static class PngFile
{
    private const int MaximumPixels = 64 << 20;
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(index => Enumerable.Range(0, 8).Aggregate((uint)index, (crc, _) => (crc & 1) == 0 ? crc >> 1 : 0xEDB88320 ^ (crc >> 1)))];

    /// <summary>A file of eight bits for each of red, green and blue.</summary>
    /// <param name="picture">What it shows.</param>
    /// <param name="texts">What it says besides, under a keyword each.</param>
    public static byte[] Write(Picture picture, params (string Keyword, string Text)[] texts)
    {
        using var file = new MemoryStream();
        file.Write(Signature);

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, 2);
        WriteChunk(file, "IHDR", header);
        foreach (var (keyword, text) in texts)
            WriteChunk(file, "tEXt", Encoding.Latin1.GetBytes($"{keyword}\0{text}"));

        using var data = new MemoryStream();
        using (var compressed = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            var stride = picture.Width * 3;
            for (var row = 0; row < picture.Height; row++)
            {
                compressed.WriteByte(0);
                compressed.Write(picture.Rgb, row * stride, stride);
            }
        }

        WriteChunk(file, "IDAT", data.GetBuffer().AsSpan(0, (int)data.Length));
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>Reads a file; transparency is left out, grey becomes a colour.</summary>
    /// <exception cref="InvalidDataException">It is no such PNG, or a damaged one.</exception>
    public static Picture Read(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(Signature))
            throw new InvalidDataException("no PNG");

        ReadOnlySpan<byte> header = [];
        ReadOnlySpan<byte> palette = [];
        using var data = new MemoryStream();
        for (var rest = file[Signature.Length..]; rest.Length > 0;)
        {
            var length = rest.Length < 12 ? -1 : BinaryPrimitives.ReadInt32BigEndian(rest);
            if (length < 0 || length > rest.Length - 12)
                throw new InvalidDataException("cut off");
            var type = rest[4..8];
            var content = rest.Slice(8, length);
            if (Crc(rest.Slice(4, 4 + length)) != BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + length)..]))
                throw new InvalidDataException("broken");
            if (type.SequenceEqual("IHDR"u8))
                header = content;
            else if (type.SequenceEqual("PLTE"u8))
                palette = content;
            else if (type.SequenceEqual("IDAT"u8))
                data.Write(content);
            rest = rest[(12 + length)..];
        }

        if (header.Length != 13)
            throw new InvalidDataException("no header");
        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header[4..]));
        var channels = header[9] switch { 0 or 3 => 1, 2 => 3, 4 => 2, 6 => 4, _ => 0 };
        if (width < 1 || height < 1 || (long)width * height > MaximumPixels || header[8] != 8 || channels == 0 || header[12] != 0)
            throw new InvalidDataException("of a kind that is not read here");

        data.Position = 0;
        return new(width, height, ReadPixels(data, width, height, header[9], channels, palette));
    }

    private static byte[] ReadPixels(MemoryStream data, int width, int height, int kind, int channels, ReadOnlySpan<byte> palette)
    {
        var rgb = new byte[width * height * 3];
        var (row, above) = (new byte[width * channels], new byte[width * channels]);
        using var pixels = new ZLibStream(data, CompressionMode.Decompress);
        for (var y = 0; y < height; y++)
        {
            var filter = pixels.ReadByte();
            if (filter is < 0 or > 4 || pixels.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length)
                throw new InvalidDataException("cut off");
            Unfilter(row, above, channels, filter);
            for (var x = 0; x < width; x++)
            {
                var (from, to) = (x * channels, ((y * width) + x) * 3);
                if (kind == 3 && (row[from] * 3) + 2 >= palette.Length)
                    throw new InvalidDataException("a colour that is not in the palette");
                var color = kind == 3 ? palette.Slice(row[from] * 3, 3) : channels < 3 ? [row[from], row[from], row[from]] : row.AsSpan(from, 3);
                color.CopyTo(rgb.AsSpan(to));
            }

            (row, above) = (above, row);
        }

        return rgb;
    }

    private static void Unfilter(byte[] row, byte[] above, int channels, int filter)
    {
        for (var at = 0; at < row.Length; at++)
        {
            int left = at < channels ? 0 : row[at - channels], up = above[at], corner = at < channels ? 0 : above[at - channels];
            row[at] += (byte)(filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, 4 => Paeth(left, up, corner), _ => 0 });
        }
    }

    /// <summary>The neighbour that is nearest to left + up - corner (PNG specification, 9.4).</summary>
    private static int Paeth(int left, int up, int corner)
    {
        var (toLeft, toUp, toCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - (2 * corner)));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private static void WriteChunk(MemoryStream file, string type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        var start = (int)file.Length;
        file.Write(Encoding.ASCII.GetBytes(type));
        file.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(file.GetBuffer().AsSpan(start, (int)file.Length - start)));
        file.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }
}
