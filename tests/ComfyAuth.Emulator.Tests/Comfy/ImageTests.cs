using System.IO.Compression;
using ComfyAuth.Emulator.Comfy;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>Images that are uploaded, made, written and looked at.</summary>
public sealed class ImageTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_smoke_workflow_writes_a_picture_of_its_size_and_colour()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke(0x12AB9F);
        (workflow["1"]!["inputs"]!["width"], workflow["1"]!["inputs"]!["height"]) = (37, 11);

        var history = await session.RunAsync(workflow);

        using var response = await session.Http.GetAsync(ComfySession.Target(history, "2"), Stop);
        var file = await response.Content.ReadAsByteArrayAsync(Stop);
        Assert.Equal(("image/png", "filename=\"comfyauth_smoke_00001_.png\""), (response.Content.Headers.ContentType?.MediaType, response.Content.Headers.GetValues("Content-Disposition").Single()));

        // Signature, then a header of 13 bytes: sizes, 8 bits, RGB, not interlaced.
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 37, 0, 0, 0, 11, 8, 2, 0, 0, 0], file[..29]);
        var picture = PngFile.Read(file);
        Assert.Equal((37, 11), (picture.Width, picture.Height));
        Assert.All(picture.Rgb.Chunk(3), pixel => Assert.Equal([0x12, 0xAB, 0x9F], pixel));
        Assert.Equal(file, await File.ReadAllBytesAsync(Path.Combine(session.Server.Folder, "output", "comfyauth_smoke_00001_.png"), Stop));
    }

    [Fact]
    public async Task A_batch_writes_a_file_for_each_picture_and_the_counter_goes_on()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["1"]!["inputs"]!["batch_size"] = 3;
        workflow["2"]!["inputs"]!["filename_prefix"] = "sub/x";

        var history = await session.RunAsync(workflow);

        Assert.Equal(["x_00001_.png", "x_00002_.png", "x_00003_.png"], history["outputs"]!["2"]!["images"]!.AsArray().Select(image => image!["filename"]!.GetValue<string>()));
        Assert.Equal("sub", history["outputs"]!["2"]!["images"]![0]!["subfolder"]!.GetValue<string>());
        Assert.Equal(200, await session.StatusAsync(ComfySession.Target(history, "2")));
    }

    [Fact]
    public async Task A_picture_too_large_to_be_held_fails_like_one_for_which_there_is_no_memory()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        (workflow["1"]!["inputs"]!["width"], workflow["1"]!["inputs"]!["height"], workflow["1"]!["inputs"]!["batch_size"]) = (16384, 16384, 4096);

        var history = await session.RunAsync(workflow);

        Assert.Contains("can't allocate memory", history["status"]!.ToJsonString().Replace("\\u0027", "'"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(96, 96, 1024, 1024)]
    [InlineData(200, 100, 1456, 720)]
    [InlineData(10, 1000, 672, 1568)]
    public async Task The_workflow_of_the_model_gives_its_reference_with_a_red_square(int width, int height, int newWidth, int newHeight)
    {
        await using var session = await ComfySession.StartAsync();
        await session.UploadAsync(ComfySession.Reference(width, height), "comfyauth_reference.png");
        var workflow = ComfySession.Workflow("qwen-image-edit-2509");

        var picture = await session.PictureAsync(await session.RunAsync(workflow), "13");

        Assert.Equal((newWidth, newHeight), (picture.Width, picture.Height));
        Assert.True(IsRed(picture, newWidth / 2, newHeight / 2));
        Assert.False(IsRed(picture, 2, 2));

        // Neither flat nor noise: the stripes of the reference are there, and neighbours are alike.
        Assert.True(picture.Rgb.Distinct().Count() > 50);
        Assert.InRange(Correlation(picture), 0.9, 1);

        workflow["11"]!["inputs"]!["seed"] = 43;
        Assert.NotEqual(picture.Rgb, (await session.PictureAsync(await session.RunAsync(workflow), "13")).Rgb);
    }

    [Fact]
    public async Task Outputs_are_looked_at_and_nothing_else_is()
    {
        await using var session = await ComfySession.StartAsync();
        await session.RunAsync(ComfySession.Smoke());
        File.WriteAllText(Path.Combine(session.Server.Folder, "secret"), "x");

        Assert.Equal(200, await session.StatusAsync("view?filename=comfyauth_smoke_00001_.png"));
        Assert.Equal(200, await session.StatusAsync("api/view?filename=comfyauth_smoke_00001_.png&type=output&subfolder="));
        Assert.Equal(404, await session.StatusAsync("view?filename=nowhere.png"));
        Assert.Equal(404, await session.StatusAsync("view?filename=comfyauth_smoke_00001_.png&type=input"));
        Assert.Equal(404, await session.StatusAsync("view"));
        Assert.Equal(404, await session.StatusAsync("view?filename=.&subfolder=."));
        Assert.Equal(400, await session.StatusAsync("view?filename="));
        Assert.Equal(400, await session.StatusAsync("view?filename=../secret"));
        Assert.Equal(400, await session.StatusAsync("view?filename=/etc/hostname"));
        Assert.Equal(400, await session.StatusAsync("view?filename=x.png&type=models"));
        Assert.Equal(403, await session.StatusAsync("view?filename=secret&subfolder=.."));
        Assert.Equal(403, await session.StatusAsync("view?filename=hostname&subfolder=/etc"));
        Assert.Equal(403, await session.StatusAsync("view?filename=x.png&subfolder=../output2"));
        Assert.Equal(500, await session.StatusAsync("view?filename=a%00b"));
    }

    [Fact]
    public async Task An_upload_keeps_its_name_unless_there_is_another_file_of_that_name()
    {
        await using var session = await ComfySession.StartAsync();
        var (first, second) = (ComfySession.Reference(8, 8), ComfySession.Reference(9, 9));

        Assert.Equal("a.png", await NameAsync(first));
        Assert.Equal("a.png", await NameAsync(first));
        Assert.Equal("a (1).png", await NameAsync(second));
        Assert.Equal("a.png", await NameAsync(second, ("overwrite", "true")));
        Assert.Equal(second, await session.Http.GetByteArrayAsync("view?filename=a.png&type=input", Stop));
        var (_, elsewhere) = await session.UploadAsync(first, "a.png", ("type", "temp"), ("subfolder", "deep/er"));
        Assert.Equal("""{"name":"a.png","subfolder":"deep/er","type":"temp"}""", elsewhere!.ToJsonString());
        Assert.Equal(first, await session.Http.GetByteArrayAsync("view?filename=a.png&type=temp&subfolder=deep/er", Stop));
        Assert.Contains("a (1).png", (await session.GetAsync("object_info/LoadImage"))["LoadImage"]!["input"]!["required"]!["image"]![0]!.AsArray().Select(name => name!.GetValue<string>()));

        async Task<string> NameAsync(byte[] content, params (string, string)[] fields) => (await session.UploadAsync(content, "a.png", fields)).Body!["name"]!.GetValue<string>();
    }

    [Fact]
    public async Task An_upload_that_is_none_or_leads_elsewhere_is_refused()
    {
        await using var session = await ComfySession.StartAsync();

        Assert.Equal(400, (await session.PostAsync("upload/image", "{}")).Status);
        Assert.Equal(400, (await session.UploadAsync([1], "../a.png")).Status);
        Assert.Equal(400, (await session.UploadAsync([1], "a.png", ("subfolder", "../output"))).Status);
        Assert.Equal(400, (await session.UploadAsync([1], "/tmp/a.png")).Status);
        Assert.Equal(500, (await session.UploadAsync([1], "a.png", ("type", "models"))).Status);
        Assert.Empty(Directory.EnumerateFiles(session.Server.Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_large_upload_arrives_whole()
    {
        await using var session = await ComfySession.StartAsync();
        var large = new byte[40 << 20];
        new Random(7).NextBytes(large);

        await session.UploadAsync(large, "large.bin");

        Assert.Equal(large, await File.ReadAllBytesAsync(Path.Combine(session.Server.Folder, "input", "large.bin"), Stop));
    }

    [Fact]
    public async Task A_file_that_is_no_picture_fails_when_it_is_loaded()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["1"] = new System.Text.Json.Nodes.JsonObject { ["class_type"] = "LoadImage", ["inputs"] = new System.Text.Json.Nodes.JsonObject { ["image"] = "a.png" } };
        var picture = ComfySession.Reference();
        var broken = (byte[])picture.Clone();
        broken[60] ^= 1;
        foreach (var content in new[] { [], [1, 2, 3], picture[..8], picture[..^20], broken })
        {
            await session.UploadAsync(content, "a.png", ("overwrite", "1"));
            var history = await session.RunAsync(workflow);
            Assert.Equal("PIL.UnidentifiedImageError", history["status"]!["messages"]!.AsArray()[^1]![1]!["exception_type"]!.GetValue<string>());
        }
    }

    [Fact]
    public void Every_kind_of_PNG_with_eight_bits_is_read()
    {
        byte[] grey = [10, 20, 30, 40];
        Assert.Equal([10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40], PngFile.Read(Png(2, 2, kind: 0, [0, 10, 20, 0, 30, 40])).Rgb);

        // Each filter, undone: left, above, their mean, the nearest of three.
        Assert.Equal(grey.SelectMany(value => new[] { value, value, value }), PngFile.Read(Png(2, 2, kind: 0, [1, 10, 10, 1, 30, 10])).Rgb);
        Assert.Equal(grey.SelectMany(value => new[] { value, value, value }), PngFile.Read(Png(2, 2, kind: 0, [0, 10, 20, 2, 20, 20])).Rgb);
        Assert.Equal(grey.SelectMany(value => new[] { value, value, value }), PngFile.Read(Png(2, 2, kind: 0, [3, 10, 15, 3, 25, 15])).Rgb);
        Assert.Equal(grey.SelectMany(value => new[] { value, value, value }), PngFile.Read(Png(2, 2, kind: 0, [4, 10, 10, 4, 20, 10])).Rgb);

        Assert.Equal([1, 2, 3, 5, 6, 7], PngFile.Read(Png(2, 1, kind: 6, [0, 1, 2, 3, 4, 5, 6, 7, 8])).Rgb);
        Assert.Equal([9, 9, 9, 8, 8, 8], PngFile.Read(Png(2, 1, kind: 4, [0, 9, 255, 8, 0])).Rgb);
        Assert.Equal([4, 5, 6, 1, 2, 3], PngFile.Read(Png(2, 1, kind: 3, [0, 1, 0], palette: [1, 2, 3, 4, 5, 6])).Rgb);
        Assert.Throws<InvalidDataException>(() => PngFile.Read(Png(2, 1, kind: 3, [0, 1, 0], palette: [1, 2, 3])));
        Assert.Throws<InvalidDataException>(() => PngFile.Read(Png(2, 1, kind: 0, [9, 1, 0])));
        Assert.Throws<InvalidDataException>(() => PngFile.Read(Png(200_000, 200_000, kind: 0, [])));
    }

    private static byte[] Png(int width, int height, byte kind, byte[] pixels, byte[]? palette = null)
    {
        using var compressed = new MemoryStream();
        using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(pixels);
        byte[] header = [(byte)(width >> 24), (byte)(width >> 16), (byte)(width >> 8), (byte)width, (byte)(height >> 24), (byte)(height >> 16), (byte)(height >> 8), (byte)height, 8, kind, 0, 0, 0];
        return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, .. Chunk("IHDR", header), .. palette is null ? [] : Chunk("PLTE", palette), .. Chunk("IDAT", compressed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] content)
    {
        byte[] checkedPart = [.. System.Text.Encoding.ASCII.GetBytes(type), .. content];
        var crc = uint.MaxValue;
        foreach (var value in checkedPart)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        crc = ~crc;
        return [(byte)(content.Length >> 24), (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length, .. checkedPart, (byte)(crc >> 24), (byte)(crc >> 16), (byte)(crc >> 8), (byte)crc];
    }

    private static bool IsRed(Picture picture, int x, int y)
    {
        var at = ((y * picture.Width) + x) * 3;
        return picture.Rgb[at] > 180 && picture.Rgb[at + 1] < 60 && picture.Rgb[at + 2] < 60;
    }

    /// <summary>How alike a pixel and its right neighbour are: 1 in a smooth picture, 0 in noise.</summary>
    private static double Correlation(Picture picture)
    {
        var left = new List<double>();
        var right = new List<double>();
        for (var at = 0; at + 3 < picture.Rgb.Length; at += 3)
        {
            left.Add(picture.Rgb[at + 1]);
            right.Add(picture.Rgb[at + 4]);
        }

        var (meanLeft, meanRight) = (left.Average(), right.Average());
        var covariance = left.Zip(right, (one, other) => (one - meanLeft) * (other - meanRight)).Sum();
        return covariance / Math.Sqrt(left.Sum(one => Math.Pow(one - meanLeft, 2)) * right.Sum(other => Math.Pow(other - meanRight, 2)));
    }
}
