namespace ComfyAuth.Stacks;

/// <summary>A model file that a service needs.</summary>
public sealed record ModelFile
{
    /// <summary>The file's name.</summary>
    public required string Name { get; init; }

    /// <summary>The folder of its kind below the models folder, such as <c>diffusion_models</c>, <c>text_encoders</c> or <c>vae</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Its exact size; null when it is not known.</summary>
    public long? SizeInBytes { get; init; }

    /// <summary>The SHA-256 of its content, 64 lower-case hexadecimal digits; null when it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The repository of the model hub that it comes from, such as <c>Comfy-Org/Qwen-Image_ComfyUI</c>; null when it is not known.</summary>
    public string? Repository { get; init; }

    /// <summary>Its path in that repository; null when it is not known.</summary>
    public string? PathInRepository { get; init; }

    /// <summary>The path below the models folder.</summary>
    public string Path => $"{Kind}/{Name}";
}
