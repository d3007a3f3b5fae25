namespace ComfyAuth.Emulator.Engine;

/// <summary>What a container uses. Its counters grow with the time since its start.</summary>
public sealed record EmulatedLoad
{
    /// <summary>Processors in full use.</summary>
    public double Cpus { get; init; } = 0.01;

    /// <summary>Memory in bytes, without the file cache.</summary>
    public long Memory { get; init; } = 64L << 20;

    /// <summary>File cache in bytes that the kernel can drop.</summary>
    public long FileCache { get; init; } = 16L << 20;

    /// <summary>Bytes received in a second.</summary>
    public double ReceivedPerSecond { get; init; }

    /// <summary>Bytes sent in a second.</summary>
    public double SentPerSecond { get; init; }

    /// <summary>Bytes written to block devices in a second.</summary>
    public double WrittenPerSecond { get; init; }
}
