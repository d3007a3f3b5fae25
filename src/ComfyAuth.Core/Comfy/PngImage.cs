using System.Buffers.Binary;
using System.IO.Compression;

namespace ComfyAuth.Comfy;

/// <summary>
/// A decoded PNG (ISO/IEC 15948), of every colour type, depth and interlacing. Every length is checked before memory is taken
/// for it, no more is decompressed than the picture has, and the checksum of each chunk that matters is compared.
/// </summary>
internal sealed class PngImage
{
    /// <summary>The most pixels that are decoded; each takes four bytes.</summary>
    public const int MaximumPixels = 40_000_000;

    // What deflate makes of one byte at most.
    private const long LargestExpansion = 1032;
    private const int Grey = 0, Colour = 2, Palette = 3, GreyAlpha = 4, ColourAlpha = 6;

    private static readonly uint[] CrcTable = MakeCrcTable();

    // Where each pass of Adam7 begins, and how far apart its pixels lie.
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    private static readonly (int X, int Y, int StepX, int StepY)[] OnePass = [(0, 0, 1, 1)];

    private readonly int _depth;
    private readonly int _kind;
    private readonly bool _isInterlaced;
    private byte[] _palette = [];
    private byte[] _transparency = [];

    private PngImage(ReadOnlySpan<byte> header)
    {
        if (header.Length != 13)
            throw new PngException("its header has not the right length");
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
            throw new PngException("its header gives no size that a picture can have");
        (Width, Height, _depth, _kind, _isInterlaced) = ((int)width, (int)height, header[8], header[9], header[12] == 1);

        var isKnown = _kind switch
        {
            Grey => _depth is 1 or 2 or 4 or 8 or 16,
            Palette => _depth is 1 or 2 or 4 or 8,
            Colour or GreyAlpha or ColourAlpha => _depth is 8 or 16,
            _ => false,
        };
        if (!isKnown || header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw new PngException("its header gives a form of PNG that does not exist");
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue and opacity of each pixel, row by row; of 16 bits the upper 8. What is fully transparent is black.</summary>
    public byte[] Pixels { get; private set; } = [];

    private int Samples => _kind switch { Colour => 3, GreyAlpha => 2, ColourAlpha => 4, _ => 1 };

    /// <summary>Whether bytes begin as a PNG does.</summary>
    public static bool HasSignature(ReadOnlySpan<byte> bytes) => bytes.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);

    /// <summary>Decodes.</summary>
    /// <exception cref="PngException">It is none, it is damaged, or it has more pixels than are decoded.</exception>
    public static PngImage Decode(ReadOnlyMemory<byte> bytes)
    {
        if (!HasSignature(bytes.Span))
            throw new PngException("it is no PNG");

        PngImage? image = null;
        var data = new List<ReadOnlyMemory<byte>>();
        for (var position = 8; ; )
        {
            var (type, content) = Chunk(bytes, position);
            position += content.Length + 12;
            if (image is null && type != "IHDR")
                throw new PngException("it does not begin with its header");
            switch (type)
            {
                case "IHDR":
                    image = image is null ? new(content.Span) : throw new PngException("it has two headers");
                    break;
                case "PLTE":
                    image!._palette = content.Length is > 0 and <= 768 && content.Length % 3 == 0 ? content.ToArray() : throw new PngException("its palette has not the right length");
                    break;
                case "tRNS":
                    image!._transparency = content.ToArray();
                    break;
                case "IDAT":
                    data.Add(content);
                    break;
                case "IEND":
                    image!.Read(data);
                    return image;
                default:
                    // A capital letter at its start: nobody who does not know it can show the picture.
                    if (char.IsAsciiLetterUpper(type[0]))
                        throw new PngException($"it has a part '{type}' that is not known");
                    break;
            }
        }
    }

    private static (string Type, ReadOnlyMemory<byte> Content) Chunk(ReadOnlyMemory<byte> bytes, int position)
    {
        if (bytes.Length - position < 12)
            throw new PngException("it ends too early");
        var head = bytes.Span[position..];
        var length = BinaryPrimitives.ReadUInt32BigEndian(head);
        var name = head[4..8];
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetter((char)letter))
                throw new PngException("a part of it has no name");
        }

        if (length > bytes.Length - position - 12)
            throw new PngException("it ends too early");
        var type = System.Text.Encoding.ASCII.GetString(name);
        var count = (int)length;

        // Texts and times beside the picture may be damaged without doing harm to it.
        if ((char.IsAsciiLetterUpper(type[0]) || type == "tRNS") && Crc(head.Slice(4, count + 4)) != BinaryPrimitives.ReadUInt32BigEndian(head[(count + 8)..]))
            throw new PngException($"the checksum of its part '{type}' is wrong");
        return (type, bytes.Slice(position + 8, count));
    }

    private void Read(List<ReadOnlyMemory<byte>> data)
    {
        if ((long)Width * Height > MaximumPixels)
            throw new PngException($"it has {Width} x {Height} pixels, and no more than {MaximumPixels} are looked at") { IsTooLarge = true };
        if (_kind == Palette && _palette.Length == 0)
            throw new PngException("it has no palette");

        var bits = Samples * _depth;
        var passes = (_isInterlaced ? Adam7 : OnePass)
            .Select(pass => (Pass: pass, Columns: Count(Width, pass.X, pass.StepX), Rows: Count(Height, pass.Y, pass.StepY)))
            .Where(pass => pass is { Columns: > 0, Rows: > 0 })
            .ToList();
        var needed = passes.Sum(pass => pass.Rows * (1 + ((((long)pass.Columns * bits) + 7) / 8)));
        if (needed > (data.Sum(part => (long)part.Length) * LargestExpansion) + LargestExpansion)
            throw new PngException("it has too little data for its size");

        Pixels = new byte[Width * Height * 4];
        using var inflated = new ZLibStream(new Parts(data), CompressionMode.Decompress);
        var distance = Math.Max(1, bits / 8);
        foreach (var (pass, columns, rows) in passes)
        {
            var row = new byte[((((long)columns * bits) + 7) / 8) + 1];
            var before = new byte[row.Length];
            for (var y = 0; y < rows; y++)
            {
                Fill(inflated, row);
                Unfilter(row, before, distance);
                for (var x = 0; x < columns; x++)
                    Set((((pass.Y + (y * pass.StepY)) * Width) + pass.X + (x * pass.StepX)) * 4, row.AsSpan(1), x);
                (row, before) = (before, row);
            }
        }
    }

    private static int Count(int size, int start, int step) => (int)(((long)size - start + step - 1) / step);

    private static void Fill(ZLibStream inflated, byte[] row)
    {
        try
        {
            if (inflated.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length)
                throw new PngException("it has too little data for its size");
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new PngException("its data is damaged", error);
        }
    }

    private static void Unfilter(byte[] row, byte[] before, int distance)
    {
        switch (row[0])
        {
            case 0:
                break;
            case 1:
                for (var i = distance + 1; i < row.Length; i++)
                    row[i] += row[i - distance];
                break;
            case 2:
                for (var i = 1; i < row.Length; i++)
                    row[i] += before[i];
                break;
            case 3:
                for (var i = 1; i < row.Length; i++)
                    row[i] += (byte)(((i > distance ? row[i - distance] : 0) + before[i]) / 2);
                break;
            case 4:
                for (var i = 1; i < row.Length; i++)
                    row[i] += i > distance ? Paeth(row[i - distance], before[i], before[i - distance]) : before[i];
                break;
            default:
                throw new PngException("a row of it has a filter that does not exist");
        }
    }

    private static byte Paeth(byte left, byte up, byte corner)
    {
        var (toLeft, toUp, toCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - (2 * corner)));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private void Set(int target, ReadOnlySpan<byte> row, int x)
    {
        byte red, green, blue, opacity = 255;
        switch (_kind)
        {
            case Palette:
                var index = Sample(row, x);
                if ((index * 3) + 2 >= _palette.Length)
                    throw new PngException("it names a colour that its palette does not have");
                (red, green, blue) = (_palette[index * 3], _palette[(index * 3) + 1], _palette[(index * 3) + 2]);
                opacity = index < _transparency.Length ? _transparency[index] : opacity;
                break;
            case Grey or GreyAlpha:
                var first = x * Samples;
                red = green = blue = _depth < 8 ? (byte)(Sample(row, x) * 255 / ((1 << _depth) - 1)) : (byte)(Sample(row, first) >> (_depth - 8));
                if (_kind == GreyAlpha)
                    opacity = (byte)(Sample(row, first + 1) >> (_depth - 8));
                else if (_transparency.Length == 2 && Sample(row, first) == BinaryPrimitives.ReadUInt16BigEndian(_transparency))
                    opacity = 0;
                break;
            default:
                var start = x * Samples;
                var (r, g, b) = (Sample(row, start), Sample(row, start + 1), Sample(row, start + 2));
                (red, green, blue) = ((byte)(r >> (_depth - 8)), (byte)(g >> (_depth - 8)), (byte)(b >> (_depth - 8)));
                if (_kind == ColourAlpha)
                    opacity = (byte)(Sample(row, start + 3) >> (_depth - 8));
                else if (_transparency.Length == 6 && r == Transparent(0) && g == Transparent(2) && b == Transparent(4))
                    opacity = 0;
                break;
        }

        if (opacity == 0)
            return;
        (Pixels[target], Pixels[target + 1], Pixels[target + 2], Pixels[target + 3]) = (red, green, blue, opacity);
    }

    private int Transparent(int start) => BinaryPrimitives.ReadUInt16BigEndian(_transparency.AsSpan(start));

    private int Sample(ReadOnlySpan<byte> row, int index) => _depth switch
    {
        8 => row[index],
        16 => (row[index * 2] << 8) | row[(index * 2) + 1],
        _ => (row[index * _depth / 8] >> (8 - _depth - (index * _depth % 8))) & ((1 << _depth) - 1),
    };

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (var n = 0u; n < table.Length; n++)
        {
            var value = n;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            table[n] = value;
        }

        return table;
    }

    /// <summary>The parts of the compressed data as one stream.</summary>
    private sealed class Parts(IReadOnlyList<ReadOnlyMemory<byte>> parts) : Stream
    {
        private int _part;
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            while (_part < parts.Count && _position == parts[_part].Length)
                (_part, _position) = (_part + 1, 0);
            if (_part == parts.Count)
                return 0;

            var length = Math.Min(buffer.Length, parts[_part].Length - _position);
            parts[_part].Span.Slice(_position, length).CopyTo(buffer);
            _position += length;
            return length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
