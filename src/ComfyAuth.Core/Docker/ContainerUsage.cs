namespace ComfyAuth.Docker;

/// <summary>What a container uses, computed as <c>docker stats</c> does.</summary>
/// <param name="Cpu">Processor time per time in percent: 100 is one processor in full use; null when the samples are too close together.</param>
/// <param name="MemoryUsed">Memory in bytes, without the file cache that the kernel can drop at once.</param>
/// <param name="MemoryLimit">The limit in bytes; that of the machine where there is none.</param>
/// <param name="NetworkReceived">Bytes received between the two samples.</param>
/// <param name="BlockWritten">Bytes written to block devices between the two samples.</param>
/// <param name="Period">Time between the two samples.</param>
public sealed record ContainerUsage(double? Cpu, long MemoryUsed, long MemoryLimit, long NetworkReceived, long BlockWritten, TimeSpan Period)
{
    /// <summary>Computes the usage between two samples of one container. After a restart between them the counters begin anew.</summary>
    /// <param name="first">The earlier sample.</param>
    /// <param name="second">The later sample.</param>
    public static ContainerUsage Between(ContainerStats first, ContainerStats second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);

        // Some engines and systems do not count the machine's time; then the clock does.
        var machine = second.SystemCpuTime > TimeSpan.Zero
            ? (second.SystemCpuTime - first.SystemCpuTime).TotalSeconds
            : (second.ReadAt - first.ReadAt).TotalSeconds * second.OnlineCpus;
        return new(
            machine <= 0 ? null : Math.Max(0, (second.CpuTime - first.CpuTime).TotalSeconds / machine * second.OnlineCpus * 100),
            second.MemoryUsed,
            second.MemoryLimit,
            Math.Max(0, second.NetworkReceived - first.NetworkReceived),
            Math.Max(0, second.BlockWritten - first.BlockWritten),
            second.ReadAt - first.ReadAt);
    }
}
