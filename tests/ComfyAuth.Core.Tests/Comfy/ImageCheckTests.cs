using ComfyAuth.Comfy;
using CsCheck;

namespace ComfyAuth.Tests.Comfy;

public sealed class ImageCheckTests
{
    private static readonly byte[] Sound = SamplePng.Of(64, 48, Scene(64, 48));

    [Fact]
    public void A_picture_of_something_has_no_problem()
    {
        var result = ImageCheck.Check(Sound);

        Assert.Equal((true, 64, 48, false, false, null), (result.IsImage, result.Width, result.Height, result.IsFlat, result.IsNoise, result.DifferenceFromReference));
        Assert.Empty(result.Problems);
    }

    public static TheoryData<byte, int, bool> Forms()
    {
        var data = new TheoryData<byte, int, bool>();
        foreach (var interlaced in new[] { false, true })
        {
            foreach (var (kind, depths) in new (byte, int[])[] { (0, [1, 2, 4, 8, 16]), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16]) })
            {
                foreach (var depth in depths)
                    data.Add(kind, depth, interlaced);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_is_decoded_to_the_same_pixels(byte kind, int depth, bool interlaced) => Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[0, 1_000_000], Gen.Int[0, 4]).Sample(
        (width, height, seed, filter) =>
        {
            var random = new Random(seed);
            var samples = kind switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
            var pixels = Enumerable.Range(0, width * height).Select(_ => Enumerable.Range(0, samples).Select(_ => random.Next(1 << depth)).ToArray()).ToArray();
            var palette = kind == 3 ? Enumerable.Range(0, 3 * (1 << depth)).Select(_ => (byte)random.Next(256)).ToArray() : null;

            var image = PngImage.Decode(new SamplePng(width, height)
            {
                Kind = kind, Depth = depth, IsInterlaced = interlaced, Palette = palette, Filter = _ => filter, Pixel = (x, y) => pixels[(y * width) + x],
            }.ToBytes());

            Assert.Equal((width, height), (image.Width, image.Height));
            for (var i = 0; i < pixels.Length; i++)
                Assert.Equal(Expected(pixels[i]), image.Pixels.AsSpan(i * 4, 4).ToArray());

            byte[] Expected(int[] pixel)
            {
                byte Value(int sample) => (byte)(depth < 8 ? pixel[sample] * 255 / ((1 << depth) - 1) : pixel[sample] >> (depth - 8));
                byte[] colour = kind switch
                {
                    3 => [palette![pixel[0] * 3], palette[(pixel[0] * 3) + 1], palette[(pixel[0] * 3) + 2], 255],
                    0 => [Value(0), Value(0), Value(0), 255],
                    4 => [Value(0), Value(0), Value(0), Value(1)],
                    _ => [Value(0), Value(1), Value(2), kind == 6 ? Value(3) : (byte)255],
                };
                return colour[3] == 0 ? [0, 0, 0, 0] : colour;
            }
        },
        iter: 20);

    [Fact]
    public void What_is_marked_as_transparent_is_not_seen()
    {
        var grey = PngImage.Decode(new SamplePng(2, 1) { Kind = 0, Depth = 4, Transparency = [0, 7], Pixel = (x, _) => [x == 0 ? 7 : 8] }.ToBytes());
        var colour = PngImage.Decode(new SamplePng(2, 1) { Transparency = [0, 1, 0, 2, 0, 3], Pixel = (x, _) => [1, 2, 3 + x] }.ToBytes());
        var palette = PngImage.Decode(new SamplePng(2, 1) { Kind = 3, Palette = [9, 9, 9, 8, 8, 8], Transparency = [0], Pixel = (x, _) => [x] }.ToBytes());

        Assert.Equal([0, 0, 0, 0, 136, 136, 136, 255], grey.Pixels);
        Assert.Equal([0, 0, 0, 0, 1, 2, 4, 255], colour.Pixels);
        Assert.Equal([0, 0, 0, 0, 8, 8, 8, 255], palette.Pixels);
    }

    [Fact]
    public void One_colour_is_flat_in_every_size_and_colour() => Gen.Select(Gen.Int[1, 200], Gen.Int[1, 200], Gen.Byte, Gen.Byte, Gen.Byte).Sample(
        (width, height, red, green, blue) =>
        {
            var result = ImageCheck.Check(SamplePng.Of(width, height, (_, _) => [red, green, blue]));
            Assert.True(result is { IsImage: true, IsFlat: true, IsNoise: false });
            Assert.Equal($"It is one colour: #{red:X2}{green:X2}{blue:X2}.", Assert.Single(result.Problems));
        },
        iter: 50);

    [Fact]
    public void One_colour_with_what_a_decoder_leaves_in_it_is_flat_and_a_faint_gradient_is_not()
    {
        var random = new Random(1);
        Assert.True(ImageCheck.Check(SamplePng.Of(128, 128, (_, _) => [random.Next(3), random.Next(2), 0])).IsFlat);
        Assert.False(ImageCheck.Check(SamplePng.Of(128, 128, (x, _) => [x / 8, x / 8, x / 8])).IsFlat);
        Assert.False(ImageCheck.Check(SamplePng.Of(128, 128, (x, y) => x is > 60 and < 68 && y is > 60 and < 68 ? [255, 255, 255] : [0, 0, 0])).IsFlat);
        Assert.True(ImageCheck.Check(new SamplePng(64, 64) { Kind = 6, Pixel = (_, _) => [random.Next(256), random.Next(256), random.Next(256), 0] }.ToBytes()).IsFlat);
    }

    [Fact]
    public void Noise_is_noise_in_colour_and_in_grey_and_of_any_strength() => Gen.Select(Gen.Int[32, 300], Gen.Int[32, 300], Gen.Int[0, 1_000_000], Gen.Int[4, 256], Gen.Bool).Sample(
        (width, height, seed, strength, isGrey) =>
        {
            var random = new Random(seed);
            var start = random.Next(257 - strength);
            int Next() => start + random.Next(strength);
            var result = ImageCheck.Check(SamplePng.Of(width, height, (_, _) => Next() is var one && isGrey ? [one, one, one] : [one, Next(), Next()]));
            Assert.True(result.IsNoise || result.IsFlat, $"{strength} {string.Join(' ', result.Problems)}");
        },
        iter: 60);

    [Fact]
    public void Coloured_noise_in_blots_is_noise()
    {
        // The same pictures each time: chance can make any picture.
        for (var seed = 0; seed < 21; seed++)
        {
            // As an image model leaves it that was given no time: smooth between points that have nothing to do with one another.
            var blot = 2 + (seed % 7);
            var points = Points(blot, seed);
            var result = ImageCheck.Check(SamplePng.Of(512, 512, (x, y) => [.. Enumerable.Range(0, 3).Select(channel => (int)Smooth(points, channel, x / (double)blot, y / (double)blot))]));
            Assert.True(result.IsNoise, $"{blot} {seed}");
        }
    }

    [Fact]
    public void What_is_like_a_photograph_is_no_noise()
    {
        // The same pictures each time: a small one of something dim under much grain is noise to anybody.
        for (var seed = 0; seed < 30; seed++)
        {
            // Detail of every size, the larger the stronger, under the grain of a sensor.
            var layers = Enumerable.Range(2, 6).Select(power => 1 << power).Select(size => (Size: size, Points: Points(size, seed + size))).ToList();
            var random = new Random(seed);
            var (width, height, grain) = (random.Next(64, 401), random.Next(64, 401), random.Next(41));
            var result = ImageCheck.Check(SamplePng.Of(width, height, (x, y) =>
            {
                var light = layers.Sum(layer => layer.Size * Smooth(layer.Points, 0, x / (double)layer.Size, y / (double)layer.Size)) / 252;
                return [.. Enumerable.Range(0, 3).Select(channel => Math.Clamp((int)(light * (0.7 + (0.15 * channel))) + random.Next(-grain, grain + 1), 0, 255))];
            }));
            Assert.Equal((seed, true, false, false), (seed, result.IsImage, result.IsFlat, result.IsNoise));
        }
    }

    [Fact]
    public void Gradients_drawings_and_regular_patterns_are_no_noise()
    {
        Assert.Empty(ImageCheck.Check(SamplePng.Of(256, 256, (x, _) => [x, x, x])).Problems);
        Assert.Empty(ImageCheck.Check(SamplePng.Of(256, 256, (x, y) => [x, y, (x + y) / 2])).Problems);
        Assert.Empty(ImageCheck.Check(SamplePng.Of(256, 256, (x, y) => (x + y) % 2 == 0 ? [0, 0, 0] : [255, 255, 255])).Problems);
        Assert.Empty(ImageCheck.Check(SamplePng.Of(256, 256, (x, y) => x is > 80 and < 170 && y is > 80 and < 170 ? [255, 0, 0] : [255, 255, 255])).Problems);
    }

    [Fact]
    public void A_picture_of_one_pixel_is_flat_and_nothing_else() =>
        Assert.Equal((true, 1, 1, true, false), ImageCheck.Check(SamplePng.Of(1, 1, (_, _) => [1, 2, 3])) is var result ? (result.IsImage, result.Width, result.Height, result.IsFlat, result.IsNoise) : default);

    [Fact]
    public void The_difference_from_a_reference_is_none_of_itself_and_all_of_its_opposite()
    {
        var black = SamplePng.Of(40, 30, (_, _) => [0, 0, 0]);
        Assert.Equal(0, ImageCheck.Check(Sound, Sound).DifferenceFromReference);
        Assert.Equal(1, ImageCheck.Check(black, SamplePng.Of(40, 30, (_, _) => [255, 255, 255])).DifferenceFromReference);
        Assert.Equal(1.0 / 3, ImageCheck.Check(black, SamplePng.Of(40, 30, (_, _) => [0, 255, 0])).DifferenceFromReference!.Value, 6);
    }

    [Fact]
    public void The_same_picture_in_another_size_hardly_differs_and_another_one_does()
    {
        var large = SamplePng.Of(256, 192, Scene(256, 192));
        var edited = SamplePng.Of(256, 192, (x, y) => x is > 100 and < 200 && y is > 60 and < 160 ? [255, 0, 0] : Scene(256, 192)(x, y));

        Assert.InRange(ImageCheck.Check(large, Sound).DifferenceFromReference!.Value, 0, 0.03);
        Assert.InRange(ImageCheck.Check(edited, Sound).DifferenceFromReference!.Value, 0.05, 0.5);
    }

    [Fact]
    public async Task Files_are_looked_at_as_their_bytes_are()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.PathOf("a.png"), Sound, TestContext.Current.CancellationToken);

        Assert.Empty((await ImageCheck.CheckFileAsync(folder.PathOf("a.png"), null, TestContext.Current.CancellationToken)).Problems);
        Assert.Equal(0, (await ImageCheck.CheckFileAsync(folder.PathOf("a.png"), folder.PathOf("a.png"), TestContext.Current.CancellationToken)).DifferenceFromReference);
    }

    [Fact]
    public void A_reference_that_cannot_be_decoded_is_a_problem_of_its_own()
    {
        var result = ImageCheck.Check(Sound, "nothing"u8.ToArray());

        Assert.Equal((true, null), (result.IsImage, result.DifferenceFromReference));
        Assert.Contains("reference", Assert.Single(result.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_cut_anywhere_is_no_picture() => Gen.Int[0, Sound.Length - 1].Sample(
        length =>
        {
            var result = ImageCheck.Check(Sound.AsMemory(0, length));
            Assert.Equal(false, result.IsImage);
            Assert.Single(result.Problems);
        },
        iter: 300);

    [Fact]
    public void A_bit_that_flipped_is_found_wherever_it_matters()
    {
        var text = Sound.AsSpan().IndexOf("tEXt"u8);
        Gen.Select(Gen.Int[0, Sound.Length - 1], Gen.Int[0, 7]).Sample(
            (position, bit) =>
            {
                var flipped = Sound.ToArray();
                flipped[position] ^= (byte)(1 << bit);

                // A text beside the picture may be damaged; the case of a letter of its name tells what it is.
                var isBeside = position >= text && position < text + 4 + 9 + 4;
                Assert.True(isBeside || ImageCheck.Check(flipped).IsImage == false, $"{position} {bit}");
            },
            iter: 1000);
    }

    [Fact]
    public void Rubbish_is_no_picture() => Gen.Byte.Array[0, 300].Sample(
        rubbish =>
        {
            Assert.NotEqual(true, ImageCheck.Check(rubbish).IsImage);
            Assert.NotEqual(true, ImageCheck.Check(SamplePng.File(rubbish)).IsImage);
            Assert.NotEqual(true, ImageCheck.Check(SamplePng.File(SamplePng.Header(20, 20), SamplePng.Chunk("IDAT", rubbish), SamplePng.Chunk("IEND", []))).IsImage);
        },
        iter: 300);

    public static TheoryData<string, byte[]> Wrong => new()
    {
        { "no size", Picture(SamplePng.Header(0, 1)) },
        { "a size that no integer holds", Picture(SamplePng.Header(uint.MaxValue, uint.MaxValue)) },
        { "a depth that does not exist", Picture(SamplePng.Header(1, 1, depth: 3)) },
        { "a kind that does not exist", Picture(SamplePng.Header(1, 1, kind: 5)) },
        { "an interlacing that does not exist", Picture(SamplePng.Header(1, 1, interlaced: 2)) },
        { "a compression that does not exist", Picture(SamplePng.Header(1, 1, compression: 1)) },
        { "a filter that does not exist", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Chunk("IDAT", SamplePng.Pack([9, 1, 2, 3])), SamplePng.Chunk("IEND", [])) },
        { "no palette", Picture(SamplePng.Header(1, 1, kind: 3)) },
        { "a colour that the palette does not have", SamplePng.File(SamplePng.Header(1, 1, kind: 3), SamplePng.Chunk("PLTE", [1, 2, 3]), SamplePng.Chunk("IDAT", SamplePng.Pack([0, 1])), SamplePng.Chunk("IEND", [])) },
        { "two headers", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Header(1, 1), SamplePng.Chunk("IEND", [])) },
        { "no header", SamplePng.File(SamplePng.Chunk("IEND", [])) },
        { "no data", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Chunk("IEND", [])) },
        { "too little data", Picture(SamplePng.Header(2, 1)) },
        { "a part that must be known", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Chunk("ABCD", []), SamplePng.Chunk("IDAT", SamplePng.Pack([0, 1, 2, 3])), SamplePng.Chunk("IEND", [])) },
        { "data that is no zlib", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Chunk("IDAT", [1, 2, 3, 4]), SamplePng.Chunk("IEND", [])) },
        { "a transparency that is too short", SamplePng.File(SamplePng.Header(1, 1), SamplePng.Chunk("tRNS", [1]), SamplePng.Chunk("IDAT", [1, 2, 3, 4]), SamplePng.Chunk("IEND", [])) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_PNG_is_no_picture(string what, byte[] bytes) => Assert.True(ImageCheck.Check(bytes) is { IsImage: false, Problems: [var problem] } && problem.StartsWith("It cannot be decoded: ", StringComparison.Ordinal), what);

    [Fact]
    public void A_small_file_that_decompresses_to_much_takes_neither_time_nor_memory()
    {
        var zeros = SamplePng.Pack(new byte[100 * 1024 * 1024]);
        var small = SamplePng.File(SamplePng.Header(10, 10), SamplePng.Chunk("IDAT", zeros), SamplePng.Chunk("IEND", []));
        var large = SamplePng.File(SamplePng.Header(2_000_000_000, 2_000_000_000), SamplePng.Chunk("IDAT", zeros), SamplePng.Chunk("IEND", []));
        var lying = SamplePng.File(SamplePng.Header(6000, 6000), SamplePng.Chunk("IDAT", [1, 2, 3]), SamplePng.Chunk("IEND", []));

        Assert.Equal(new bool?[] { true, null, false }, Measure(() => new[] { small, large, lying }.Select(file => ImageCheck.Check(file).IsImage).ToArray()));

        static bool?[] Measure(Func<bool?[]> check)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var results = check();
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
            return results;
        }
    }

    [Theory]
    [InlineData("FFD8FFE0", "JPEG")]
    [InlineData("474946383961", "GIF")]
    [InlineData("524946460000000057454250", "WebP")]
    [InlineData("000000206674797069736F6D", "video")]
    public void What_cannot_be_looked_at_is_neither_right_nor_wrong(string start, string kind)
    {
        var result = ImageCheck.Check(Convert.FromHexString(start));

        Assert.Null(result.IsImage);
        Assert.Contains(kind, Assert.Single(result.Problems), StringComparison.Ordinal);
    }

    private static byte[] Picture(byte[] header) => SamplePng.File(header, SamplePng.Chunk("IDAT", SamplePng.Pack([0, 1, 2, 3])), SamplePng.Chunk("IEND", []));

    /// <summary>A sky, a sun, and a hill.</summary>
    private static Func<int, int, int[]> Scene(int width, int height) => (x, y) =>
    {
        double across = x / (double)width, down = y / (double)height;
        if (Math.Pow(across - 0.7, 2) + Math.Pow(down - 0.3, 2) < 0.02)
            return [255, 230, 120];
        return down > 0.6 + (0.1 * Math.Sin(across * 6)) ? [40, (int)(90 + (60 * across)), 30] : [(int)(90 * down), (int)(120 + (60 * down)), 230];
    };

    private static byte[] Points(int size, int seed)
    {
        var points = new byte[((512 / size) + 2) * ((512 / size) + 2) * 3];
        new Random(seed).NextBytes(points);
        return points;
    }

    private static double Smooth(byte[] points, int channel, double x, double y)
    {
        var across = (int)Math.Sqrt(points.Length / 3);
        var (left, top) = ((int)x, (int)y);
        double At(int column, int row) => points[(((row * across) + column) * 3) + channel];
        var (partX, partY) = (x - left, y - top);
        return ((1 - partY) * (((1 - partX) * At(left, top)) + (partX * At(left + 1, top)))) + (partY * (((1 - partX) * At(left, top + 1)) + (partX * At(left + 1, top + 1))));
    }
}
