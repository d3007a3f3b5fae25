using System.Globalization;

namespace ComfyAuth.Docker;

/// <summary>
/// Reads the counters of a container where the kernel keeps them, in its control groups: the engine's own source. An engine before
/// version 25 answers only with its next sample, which comes once a second; this takes less than a millisecond.
/// </summary>
/// <remarks>See man 7 cgroups, man 5 proc, and the kernel's cgroup-v1 and cgroup-v2 documents.</remarks>
internal static class LocalCounters
{
    private const string Root = "/sys/fs/cgroup";

    /// <summary>Reads the counters.</summary>
    /// <param name="container">A running container of an engine that seems to be on this machine.</param>
    /// <returns>
    /// The counters; null where they cannot be read here: another system, or an engine whose processes this one does not see.
    /// Only a process in a control group named after the container is believed to be the container's.
    /// </returns>
    public static ContainerStats? Read(ContainerDetails container)
    {
        if (!OperatingSystem.IsLinux() || container is not { ProcessId: > 0, Id.Length: > 0 })
            return null;

        try
        {
            var process = string.Create(CultureInfo.InvariantCulture, $"/proc/{container.ProcessId}");
            var groups = new Dictionary<string, string>();
            foreach (var line in File.ReadLines($"{process}/cgroup"))
            {
                // hierarchy:controllers:path; version 2 names no controllers.
                if (line.Split(':', 3) is not [_, var controllers, var path] || !path.Contains(container.Id, StringComparison.Ordinal))
                    return null;
                foreach (var controller in controllers.Split(','))
                    groups[controller] = $"{Root}/{controller}{path}";
            }

            var received = container.NetworkMode == "host" ? 0 : Received($"{process}/net/dev");
            return groups.ContainsKey("memory") ? Version1(groups, received, container.MemoryLimit) : Version2(groups[""], received, container.MemoryLimit);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or OverflowException or KeyNotFoundException)
        {
            // It has ended, or this system keeps them elsewhere.
            return null;
        }
    }

    private static ContainerStats Version1(Dictionary<string, string> groups, long received, long? limit) => Counted(
        Number($"{groups["cpuacct"]}/cpuacct.usage") / TimeSpan.NanosecondsPerTick,
        DateTimeOffset.UtcNow,
        Number($"{groups["memory"]}/memory.usage_in_bytes") - Field($"{groups["memory"]}/memory.stat", "total_inactive_file "),
        limit,
        Number($"{groups["pids"]}/pids.current"),
        received,
        File.ReadLines($"{groups["blkio"]}/blkio.throttle.io_service_bytes")
            .Select(line => line.Split(' '))
            .Sum(words => words is [_, "Write", var bytes] ? Number(bytes.AsSpan()) : 0));

    private static ContainerStats Version2(string group, long received, long? limit) => Counted(
        Field($"{group}/cpu.stat", "usage_usec ") * TimeSpan.TicksPerMicrosecond,
        DateTimeOffset.UtcNow,
        Number($"{group}/memory.current") - Field($"{group}/memory.stat", "inactive_file "),
        limit,
        Number($"{group}/pids.current"),
        received,
        File.ReadLines($"{group}/io.stat")
            .SelectMany(line => line.Split(' '))
            .Sum(word => word.StartsWith("wbytes=", StringComparison.Ordinal) ? Number(word.AsSpan("wbytes=".Length)) : 0));

    // The time is that of the processor time: from two of both the use is computed.
    private static ContainerStats Counted(long cpuTicks, DateTimeOffset readAt, long memory, long? limit, long processes, long received, long written) => new()
    {
        ReadAt = readAt,
        CpuTime = TimeSpan.FromTicks(cpuTicks),

        // The clock does as well.
        SystemCpuTime = TimeSpan.Zero,
        OnlineCpus = Environment.ProcessorCount,
        MemoryUsed = Math.Max(0, memory),
        MemoryLimit = limit ?? Field("/proc/meminfo", "MemTotal:") * 1024,
        ProcessCount = (int)Math.Min(processes, int.MaxValue),
        NetworkReceived = received,
        BlockWritten = written,
    };

    /// <summary>What came in over all interfaces but the loopback one: two lines of heading, then <c>name: received ...</c>.</summary>
    private static long Received(string path) => File.ReadLines(path)
        .Skip(2)
        .Select(line => line.Split(':', 2))
        .Where(parts => parts[0].Trim() != "lo")
        .Sum(parts => Number(parts[1].TrimStart().Split(' ')[0].AsSpan()));

    private static long Field(string path, string name)
    {
        var line = File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) ?? throw new FormatException();
        return Number(line.AsSpan(name.Length).Trim().TrimEnd("kB"));
    }

    private static long Number(string path) => Number(File.ReadAllText(path).AsSpan());

    private static long Number(ReadOnlySpan<char> text) => long.Parse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
}
