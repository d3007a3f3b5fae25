namespace ComfyAuth.Comfy;

/// <summary>A device that ComfyUI computes on. What an answer left out, or gave in another form, is null.</summary>
public sealed record ComfyDevice
{
    /// <summary>Its name, such as <c>cuda:0 NVIDIA GeForce RTX 3090</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its type: <c>cuda</c>, <c>cpu</c>, <c>mps</c>, <c>xpu</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Its number; a processor has none.</summary>
    public int? Index { get; init; }

    /// <summary>Its memory, in bytes; of a processor, the memory of the machine.</summary>
    public long? VramTotal { get; init; }

    /// <summary>What of it is free, in bytes.</summary>
    public long? VramFree { get; init; }

    /// <summary>What PyTorch has taken for itself, in bytes.</summary>
    public long? TorchVramTotal { get; init; }

    /// <summary>What of that is free, in bytes.</summary>
    public long? TorchVramFree { get; init; }

    /// <summary>Whether it is something other than the processor.</summary>
    public bool IsGpu => Type.Length > 0 && !Type.Equals("cpu", StringComparison.OrdinalIgnoreCase);
}
