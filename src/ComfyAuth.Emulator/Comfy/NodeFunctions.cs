using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What the classes of nodes do. A model is a name only; what a sampler gives is its input with a red square.</summary>
internal static class NodeFunctions
{
    private const long MaximumPixels = 64 << 20;
    private const int PreviewSide = 64;

    /// <summary>Runs a node.</summary>
    /// <param name="name">Its class.</param>
    /// <param name="inputs">What it is given.</param>
    /// <param name="folders">Where images are.</param>
    /// <param name="step">Is called after each step of a sampler: how many are done, of how many, and what it looks like so far.</param>
    /// <exception cref="NodeException">The real one would raise an exception.</exception>
    public static async Task<NodeResult> RunAsync(string name, NodeInputs inputs, ImageFolders folders, Func<int, int, Picture?, Task> step) => name switch
    {
        "EmptyImage" => new(Empty(inputs.Number("width"), inputs.Number("height"), inputs.Number("batch_size"), inputs.Number("color"))),
        "LoadImage" => new([await LoadAsync(folders, inputs.Text("image"))]),
        "FluxKontextImageScale" => new([.. inputs.Pictures("image").Select(picture => picture.ScaledForKontext())]),
        "VAEEncode" => new(inputs.Pictures("pixels")),
        "VAEDecode" => new(inputs.Pictures("samples")),
        "KSampler" => new(await SampleAsync(inputs, step)),
        "SaveImage" => new([], await SaveAsync(inputs, folders, "output", inputs.Text("filename_prefix"))),
        "PreviewImage" => new([], await SaveAsync(inputs, folders, "temp", "ComfyUI_temp_abcde")),
        _ => new([]),
    };

    private static List<Picture> Empty(int width, int height, int count, int color) => (long)width * height * count > MaximumPixels
        ? throw new NodeException("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory", "RuntimeError")
        : [.. Enumerable.Repeat(Picture.Flat(width, height, color), count)];

    private static async Task<Picture> LoadAsync(ImageFolders folders, string name)
    {
        // Deleted since the prompt was validated.
        if (folders.Upload(name) is not { } file)
            throw new NodeException($"[Errno 2] No such file or directory: '/app/ComfyUI/input/{name}'", "FileNotFoundError");
        try
        {
            return PngFile.Read(await File.ReadAllBytesAsync(file));
        }
        catch (InvalidDataException error)
        {
            throw new NodeException($"cannot identify image file '/app/ComfyUI/input/{name}' (the emulator reads PNG only: {error.Message})", "PIL.UnidentifiedImageError");
        }
    }

    private static async Task<IReadOnlyList<Picture>> SampleAsync(NodeInputs inputs, Func<int, int, Picture?, Task> step)
    {
        var steps = inputs.Number("steps");
        var seed = inputs.Seed("seed");
        var pictures = inputs.Pictures("latent_image").Select(picture => picture.Edited(seed)).ToList();
        var preview = pictures.FirstOrDefault()?.Scaled(PreviewSide, PreviewSide);
        for (var done = 1; done <= steps; done++)
            await step(done, steps, preview);
        return pictures;
    }

    private static async Task<JsonArray> SaveAsync(NodeInputs inputs, ImageFolders folders, string type, string prefix)
    {
        var images = new JsonArray();
        foreach (var picture in inputs.Pictures("images"))
        {
            var (file, name, subfolder) = folders.Next(type, prefix);
            await File.WriteAllBytesAsync(file, PngFile.Write(picture, ("prompt", inputs.Prompt)));
            images.Add(new JsonObject { ["filename"] = name, ["subfolder"] = subfolder, ["type"] = type });
        }

        return images;
    }
}
