namespace ComfyAuth.Installation;

/// <summary>How ComfyUI is to be deployed.</summary>
public sealed record DeploymentOptions
{
    /// <summary>The service; null for the first one behind ComfyUI-Login.</summary>
    public string? Service { get; init; }

    /// <summary>Whether it runs without a GPU: no device is reserved, and PyTorch is the one for processors only.</summary>
    public bool Cpu { get; init; }

    /// <summary>The port on the host; null for the one that the stack names, or 8188.</summary>
    public int? Port { get; init; }

    /// <summary>Whether the port is published on all addresses of the host, and not on the loopback address only.</summary>
    public bool IsPublic { get; init; }

    /// <summary>The index of the GPU, or its UUID, as <c>nvidia-smi -L</c> tells.</summary>
    public string Gpu { get; init; } = "0";

    /// <summary>The most memory that the container may take, in bytes; null for 32 GiB.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The user and the group, as numbers, that ComfyUI runs as; null for those of this process, to whom the mounted files will belong.</summary>
    public (uint User, uint Group)? User { get; init; }
}
