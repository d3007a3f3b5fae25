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

    /// <summary>The version of ComfyUI.</summary>
    public string Version { get; init; } = "0.3.64";

    /// <summary>The memory of the GPU in bytes.</summary>
    public long GpuMemory { get; init; } = 24L << 30;
}
