using System.Globalization;
using System.IO.Compression;
using ComfyAuth.Files;

namespace ComfyAuth.Comfy;

/// <summary>
/// Looks whether a file is a picture of something. PNG, which is what ComfyUI saves, is decoded to its end; other kinds are only
/// recognised. Never throws over what is in it, and takes bounded memory and time.
/// </summary>
public static class ImageCheck
{
    private const int LargestFile = 256 * 1024 * 1024;
    private const int SmallestForNoise = 16;

    // Thresholds, from 144 photographs and drawings and from noise of every grain: noise has a correlation under 0.35 between parts
    // of a thirty-second of the picture, others have more. Pictures of nothing but a texture, such as gravel, have not; but the
    // colours of a texture go together, and those of noise in blots, as an image model leaves it, do not.
    private const double UnrelatedPixels = 0.4;
    private const double UnrelatedParts = 0.35;
    private const double UnrelatedColours = 0.8;
    private const double IncompressiblePixels = 0.1;
    private const double IncompressibleParts = 0.25;
    private const double FlatDeviation = 1;
    private const int FlatRange = 16;
    private const int PartsAcross = 32;
    private const int GridForComparison = 64;
    private const int TileSize = 128;
    private const int MostPairs = 500_000;

    /// <summary>Looks at a picture.</summary>
    /// <param name="image">The bytes of the file.</param>
    /// <param name="reference">The bytes of a picture to compare it with; null: none.</param>
    public static ImageCheckResult Check(ReadOnlyMemory<byte> image, ReadOnlyMemory<byte>? reference = null)
    {
        if (OtherKind(image.Span) is { } kind)
            return new() { Problems = [$"It is a {kind}, whose content is not checked; only that of PNG is."] };

        PngImage decoded;
        try
        {
            decoded = PngImage.Decode(image);
        }
        catch (PngException error)
        {
            return new() { IsImage = error.IsTooLarge ? null : false, Problems = [$"It {(error.IsTooLarge ? "is not checked" : "cannot be decoded")}: {error.Message}."] };
        }

        var problems = new List<string>();
        var channels = Enumerable.Range(0, 4).Select(channel => new Channel(decoded, channel)).ToList();
        var isFlat = channels.TrueForAll(channel => channel.Deviation <= FlatDeviation && channel.Range <= FlatRange);
        if (isFlat)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"It is one colour: #{Mean(0):X2}{Mean(1):X2}{Mean(2):X2}."));

        var isNoise = false;
        if (!isFlat && Math.Min(decoded.Width, decoded.Height) >= SmallestForNoise)
        {
            // A channel that hardly varies says nothing.
            var strongest = channels.Max(channel => channel.Deviation);
            var telling = channels.Where(channel => channel.Deviation > strongest / 3).Select(channel => channel.Texture()).ToList();
            isNoise = telling.TrueForAll(texture => texture.IsNoise(channels[0].With(channels[1], channels[2]) < UnrelatedColours));
            if (isNoise)
            {
                var texture = telling[0];
                problems.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"It is noise: neighbouring pixels correlate by {texture.Pixels:0.00}, neighbouring parts by {texture.Parts:0.00}, and it compresses to {texture.Size:0%}."));
            }
        }

        return new()
        {
            IsImage = true,
            Width = decoded.Width,
            Height = decoded.Height,
            IsFlat = isFlat,
            IsNoise = isNoise,
            DifferenceFromReference = reference is { } other ? Difference(decoded, other, problems) : null,
            Problems = problems,
        };

        byte Mean(int channel) => (byte)Math.Round(channels[channel].Mean);
    }

    /// <summary>Looks at a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="referencePath">A file to compare it with; null: none.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public static async Task<ImageCheckResult> CheckFileAsync(string path, string? referencePath, CancellationToken stop)
    {
        if (await ReadAsync(path, stop).ConfigureAwait(false) is not { } image)
            return new() { Problems = [$"It is not checked: it is larger than {ByteSize.Format(LargestFile)}."] };
        if (referencePath is null)
            return Check(image);

        // One that is too large is taken for none that can be decoded.
        return Check(image, await ReadAsync(referencePath, stop).ConfigureAwait(false) ?? []);
    }

    private static async Task<byte[]?> ReadAsync(string path, CancellationToken stop) =>
        new FileInfo(path).Length > LargestFile ? null : await Task.Run(() => RegularFile.ReadBytes(path, LargestFile), stop).ConfigureAwait(false);

    private static string? OtherKind(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xD8, 0xFF, ..] => "JPEG",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "GIF",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "WebP",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "video, AVIF or HEIC file",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "Matroska or WebM video",
        _ => null,
    };

    private static double? Difference(PngImage image, ReadOnlyMemory<byte> bytes, List<string> problems)
    {
        try
        {
            var reference = PngImage.Decode(bytes);
            if (image.Width == reference.Width && image.Height == reference.Height)
                return Enumerable.Range(0, image.Width * image.Height).Sum(pixel => Apart(image.Pixels, reference.Pixels, pixel)) / ((double)image.Width * image.Height);

            var columns = Math.Min(GridForComparison, Math.Min(image.Width, reference.Width));
            var rows = Math.Min(GridForComparison, Math.Min(image.Height, reference.Height));
            return Enumerable.Range(0, 3).Average(channel => new Channel(image, channel).Averages(columns, rows).Zip(new Channel(reference, channel).Averages(columns, rows), (one, other) => Math.Abs(one - other)).Average()) / 255;
        }
        catch (PngException error)
        {
            problems.Add($"It cannot be compared with its reference: of that, {error.Message}.");
            return null;
        }
    }

    private static double Apart(byte[] one, byte[] other, int pixel) =>
        (Math.Abs(one[pixel * 4] - other[pixel * 4]) + Math.Abs(one[(pixel * 4) + 1] - other[(pixel * 4) + 1]) + Math.Abs(one[(pixel * 4) + 2] - other[(pixel * 4) + 2])) / 765.0;

    /// <summary>How its pixels and its parts hang together.</summary>
    /// <param name="Pixels">The correlation of neighbouring pixels.</param>
    /// <param name="Parts">The correlation of neighbouring parts.</param>
    /// <param name="Size">Its size when compressed, as a part of that before.</param>
    private sealed record TextureReading(double Pixels, double Parts, double Size)
    {
        public bool IsNoise(bool areColoursUnrelated) =>
            Math.Abs(Parts) < UnrelatedParts && ((Math.Abs(Pixels) < UnrelatedPixels && Size > IncompressiblePixels) || (areColoursUnrelated && Size > IncompressibleParts));
    }

    /// <summary>One of the four numbers of each pixel.</summary>
    private sealed class Channel
    {
        private readonly PngImage _image;
        private readonly int _channel;

        public Channel(PngImage image, int channel)
        {
            (_image, _channel) = (image, channel);
            var counts = new long[256];
            for (var i = channel; i < image.Pixels.Length; i += 4)
                counts[image.Pixels[i]]++;
            var count = (double)image.Width * image.Height;
            Mean = counts.Select((times, value) => times * (double)value).Sum() / count;
            Deviation = Math.Sqrt(counts.Select((times, value) => times * (value - Mean) * (value - Mean)).Sum() / count);
            Range = Array.FindLastIndex(counts, times => times > 0) - Array.FindIndex(counts, times => times > 0);
        }

        public double Mean { get; }

        public double Deviation { get; }

        public int Range { get; }

        public TextureReading Texture()
        {
            var (columns, rows) = (_image.Width, _image.Height);
            var size = Math.Max(1, Math.Min(columns, rows) / PartsAcross);
            var averages = Averages(columns / size, rows / size);
            return new(
                Correlation(columns, rows, (x, y) => At(x, y)),
                Correlation(columns / size, rows / size, (x, y) => averages[(y * (columns / size)) + x]),
                Compressed());
        }

        /// <summary>The smallest of the correlations with the other two colours.</summary>
        public double With(Channel second, Channel third) => Math.Min(Related(this, second), Math.Min(Related(second, third), Related(this, third)));

        /// <summary>The averages of the parts of a grid, row by row.</summary>
        public double[] Averages(int columns, int rows)
        {
            var averages = new double[columns * rows];
            for (var row = 0; row < rows; row++)
            {
                var (top, bottom) = Span(row, rows, _image.Height);
                for (var column = 0; column < columns; column++)
                {
                    var (left, right) = Span(column, columns, _image.Width);
                    var sum = 0L;
                    for (var y = top; y < bottom; y++)
                    {
                        for (var x = left; x < right; x++)
                            sum += At(x, y);
                    }

                    averages[(row * columns) + column] = sum / ((double)(right - left) * (bottom - top));
                }
            }

            return averages;

            static (int Start, int End) Span(int part, int parts, int size) => ((int)((long)part * size / parts), (int)((part + 1L) * size / parts));
        }

        private byte At(int x, int y) => _image.Pixels[(((y * _image.Width) + x) * 4) + _channel];

        private static double Related(Channel one, Channel other)
        {
            var pairs = new Pairs();
            var step = Math.Max(1, one._image.Width * one._image.Height / MostPairs);
            for (var pixel = 0; pixel < one._image.Width * one._image.Height; pixel += step)
                pairs.Add(one._image.Pixels[(pixel * 4) + one._channel], other._image.Pixels[(pixel * 4) + other._channel]);
            return pairs.Correlation;
        }

        /// <summary>The correlation of each value with those to its right and below it; of a large picture, of rows that lie apart.</summary>
        private static double Correlation(int columns, int rows, Func<int, int, double> at)
        {
            var pairs = new Pairs();
            for (var y = 0; y < rows; y += Math.Max(1, columns * rows / MostPairs))
            {
                for (var x = 0; x < columns; x++)
                {
                    var one = at(x, y);
                    if (x + 1 < columns)
                        pairs.Add(one, at(x + 1, y));
                    if (y + 1 < rows)
                        pairs.Add(one, at(x, y + 1));
                }
            }

            return pairs.Correlation;
        }

        /// <summary>What up to 16 tiles compress to, as they are or as differences, whichever is smaller.</summary>
        private double Compressed()
        {
            List<byte> plain = [], differences = [];
            var (tilesX, tilesY) = (Math.Clamp(_image.Width / TileSize, 1, 4), Math.Clamp(_image.Height / TileSize, 1, 4));
            for (var tile = 0; tile < tilesX * tilesY; tile++)
            {
                var (width, height) = (Math.Min(TileSize, _image.Width), Math.Min(TileSize, _image.Height));
                var left = (int)((_image.Width - width) * (((tile % tilesX) + 0.5) / tilesX));
                var top = (int)((_image.Height - height) * (((tile / tilesX) + 0.5) / tilesY));
                for (var y = top; y < top + height; y++)
                {
                    for (var x = left; x < left + width; x++)
                    {
                        plain.Add(At(x, y));
                        differences.Add((byte)(At(x, y) - (x > left ? At(x - 1, y) : 0)));
                    }
                }
            }

            return Math.Min(Size(plain), Size(differences));

            static double Size(List<byte> bytes)
            {
                using var packed = new MemoryStream();
                using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    deflate.Write([.. bytes]);
                return packed.Length / (double)bytes.Count;
            }
        }
    }

    /// <summary>Pairs of numbers, and how far they go together (Pearson).</summary>
    private sealed class Pairs
    {
        private double _count, _ones, _others, _squaresOfOnes, _squaresOfOthers, _products;

        public double Correlation
        {
            get
            {
                var (one, other) = (_ones / _count, _others / _count);
                var variances = ((_squaresOfOnes / _count) - (one * one)) * ((_squaresOfOthers / _count) - (other * other));

                // What does not vary is as related as can be.
                return variances <= 1e-9 ? 1 : ((_products / _count) - (one * other)) / Math.Sqrt(variances);
            }
        }

        public void Add(double one, double other)
        {
            _count++;
            _ones += one;
            _others += other;
            _squaresOfOnes += one * one;
            _squaresOfOthers += other * other;
            _products += one * other;
        }
    }
}
