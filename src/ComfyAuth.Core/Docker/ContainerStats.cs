namespace ComfyAuth.Docker;

/// <summary>The counters of a running container at one moment. <see cref="ContainerUsage"/> makes use of two of them.</summary>
public sealed record ContainerStats
{
    /// <summary>When they were read.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>Processor time of the container since its start.</summary>
    public required TimeSpan CpuTime { get; init; }

    /// <summary>Processor time of the whole machine since its start, all processors together.</summary>
    public required TimeSpan SystemCpuTime { get; init; }

    /// <summary>How many processors are online.</summary>
    public required int OnlineCpus { get; init; }

    /// <summary>Memory in use in bytes, without the file cache that the kernel can drop at once.</summary>
    public required long MemoryUsed { get; init; }

    /// <summary>The memory limit in bytes; that of the machine where the container has none.</summary>
    public required long MemoryLimit { get; init; }

    /// <summary>Processes and threads.</summary>
    public required int ProcessCount { get; init; }

    /// <summary>Bytes received over its own networks since its start; 0 on the host's network.</summary>
    public required long NetworkReceived { get; init; }

    /// <summary>Bytes written to block devices since its start; not every kernel counts them.</summary>
    public required long BlockWritten { get; init; }

    internal static ContainerStats? From(StatsAnswer answer)
    {
        // A container that does not run is answered with zeros.
        if (EngineValues.Time(answer.Read) is not { } read || answer.CpuStats?.CpuUsage is not { TotalUsage: > 0 } cpu)
            return null;

        // The hierarchy's total in cgroups v1; v2 has hierarchical values only.
        var memory = answer.MemoryStats;
        ulong cache = 0;
        if (memory?.Stats is { } stats && !stats.TryGetValue("total_inactive_file", out cache))
            cache = stats.GetValueOrDefault("inactive_file");
        return new()
        {
            ReadAt = read,
            CpuTime = Time(cpu.TotalUsage),
            SystemCpuTime = Time(answer.CpuStats.SystemCpuUsage),
            OnlineCpus = answer.CpuStats.OnlineCpus > 0 ? answer.CpuStats.OnlineCpus : cpu.PercpuUsage?.Length ?? 0,
            MemoryUsed = Size(memory is null ? 0 : memory.Usage - Math.Min(cache, memory.Usage)),
            MemoryLimit = Size(memory?.Limit ?? 0),
            ProcessCount = (int)Math.Min(answer.PidsStats?.Current ?? 0, int.MaxValue),
            NetworkReceived = Sum(answer.Networks?.Values.OfType<StatsNetwork>().Select(network => network.RxBytes)),
            BlockWritten = Sum(EngineValues.Items(answer.BlkioStats?.IoServiceBytesRecursive).Where(entry => string.Equals(entry.Op, "write", StringComparison.OrdinalIgnoreCase)).Select(entry => entry.Value)),
        };

        static TimeSpan Time(ulong nanoseconds) => TimeSpan.FromTicks((long)(nanoseconds / 100));
        static long Size(ulong bytes) => (long)Math.Min(bytes, long.MaxValue);
        static long Sum(IEnumerable<ulong>? values) => Size((values ?? []).Aggregate(0UL, (sum, value) => sum + Math.Min(value, ulong.MaxValue - sum)));
    }
}
