namespace ComfyAuth.Emulator.Comfy;

/// <summary>How an emulated ComfyUI is installed and started.</summary>
public sealed record ComfyUIOptions
{
    /// <summary>
    /// The file <c>login/PASSWORD</c> of ComfyUI-Login, which need not exist yet; null: the node is not installed, and
    /// everything is open.
    /// </summary>
    public string? PasswordFile { get; init; }

    /// <summary>The value of <c>--enable-cors-header</c>; null: it is not given.</summary>
    public string? CorsOrigin { get; init; }

    /// <summary>The version of ComfyUI. From 0.3.64 it answers as 0.3.64 does, before as 0.3.18 does.</summary>
    /// <exception cref="ArgumentException">It is no version (when the server starts).</exception>
    public string Version { get; init; } = "0.3.64";

    /// <summary>The port of 127.0.0.1 that it listens on; 0: one that is free.</summary>
    public int Port { get; init; }

    /// <summary>How far the program has started at first.</summary>
    public ComfyUIPhase Phase { get; init; }

    /// <summary>The memory of the GPU in bytes; null: there is none, and it runs on the CPU.</summary>
    public long? GpuMemory { get; init; } = 24L << 30;

    /// <summary>The part of the GPU's memory that is free, in bytes; null: half of it.</summary>
    public long? FreeGpuMemory { get; init; }

    /// <summary>
    /// The folder in which it has its folders <c>input</c>, <c>output</c> and <c>temp</c>; null: a temporary one, which goes
    /// with the server.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>The model files that it finds, by the name of their folder below <c>models</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Models { get; init; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["diffusion_models"] = ["qwen_image_edit_2509_fp8_e4m3fn.safetensors"],
        ["text_encoders"] = ["qwen_2.5_vl_7b_fp8_scaled.safetensors"],
        ["vae"] = ["qwen_image_vae.safetensors"],
        ["loras"] = ["Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors"],
    };

    /// <summary>How long each step of a sampler takes.</summary>
    public TimeSpan StepTime { get; init; }

    /// <summary>Whether each step of a sampler sends a preview, as with <c>--preview-method</c>; the real one does not by itself.</summary>
    public bool Previews { get; init; }

    /// <summary>Counts the time of steps and dates messages.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether it answers in the shapes of 0.3.64.</summary>
    internal bool IsRecent => System.Version.TryParse(Version, out var version)
        ? version >= new Version(0, 3, 64)
        : throw new ArgumentException($"'{Version}' is no version.", nameof(Version));
}
