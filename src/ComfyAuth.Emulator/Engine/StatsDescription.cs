using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The counters of a container, as cgroups v1 give them.</summary>
internal static class StatsDescription
{
    private const string BlockCounters = "io_service_bytes_recursive io_serviced_recursive io_queue_recursive io_service_time_recursive io_wait_time_recursive io_merged_recursive io_time_recursive sectors_recursive";
    private static readonly TimeSpan BootedBefore = TimeSpan.FromDays(2);

    public static JsonObject Of(EmulatedContainer container, DateTimeOffset now)
    {
        var running = container.IsRunning && container.StartedAt is not null;
        var time = running ? now - container.StartedAt!.Value : TimeSpan.Zero;
        var (load, seconds) = (container.Load, Math.Max(time.TotalSeconds, 0));
        var stats = new JsonObject
        {
            ["read"] = running ? EngineJson.Time(now) : EngineJson.Never,
            ["preread"] = EngineJson.Never,
            ["pids_stats"] = running ? new JsonObject { ["current"] = container.Processes.Count } : new JsonObject(),
            ["blkio_stats"] = running ? Blocks(load, seconds) : new JsonObject().With(null, BlockCounters),
            ["num_procs"] = 0,
            ["storage_stats"] = new JsonObject(),
            ["cpu_stats"] = running ? Cpu(load, seconds) : NoCpu(),
            ["precpu_stats"] = NoCpu(),
            ["memory_stats"] = running ? Memory(container) : new JsonObject(),
            ["name"] = "/" + container.Name,
            ["id"] = container.Id,
        };
        if (running && container.Network != "host")
        {
            stats["networks"] = new JsonObject
            {
                ["eth0"] = new JsonObject { ["rx_bytes"] = (long)(load.ReceivedPerSecond * seconds), ["tx_bytes"] = (long)(load.SentPerSecond * seconds) }
                    .With(0, "rx_packets rx_errors rx_dropped tx_packets tx_errors tx_dropped"),
            };
        }

        return stats;
    }

    private static JsonObject Cpu(EmulatedLoad load, double seconds)
    {
        // What has started has used something.
        var used = (long)(load.Cpus * seconds * 1e9) + 1_000_000;
        return new()
        {
            ["cpu_usage"] = new JsonObject
            {
                ["total_usage"] = used,
                ["percpu_usage"] = new JsonArray([.. Enumerable.Repeat(used / EngineDescription.Cpus, EngineDescription.Cpus).Select(part => (JsonNode)part)]),
                ["usage_in_kernelmode"] = used / 4,
                ["usage_in_usermode"] = used - (used / 4),
            },
            ["system_cpu_usage"] = (long)((BootedBefore.TotalSeconds + seconds) * EngineDescription.Cpus * 1e9),
            ["online_cpus"] = EngineDescription.Cpus,
            ["throttling_data"] = Throttling(),
        };
    }

    private static JsonObject NoCpu() => new()
    {
        ["cpu_usage"] = new JsonObject().With(0, "total_usage usage_in_kernelmode usage_in_usermode"),
        ["throttling_data"] = Throttling(),
    };

    private static JsonObject Throttling() => new JsonObject().With(0, "periods throttled_periods throttled_time");

    private static JsonObject Blocks(EmulatedLoad load, double seconds)
    {
        var blocks = new JsonObject().With(new JsonArray(), BlockCounters);
        if (load.WrittenPerSecond > 0)
        {
            blocks["io_service_bytes_recursive"] = new JsonArray(
                new JsonObject { ["major"] = 8, ["minor"] = 0, ["op"] = "Read", ["value"] = 0 },
                new JsonObject { ["major"] = 8, ["minor"] = 0, ["op"] = "Write", ["value"] = (long)(load.WrittenPerSecond * seconds) });
        }

        return blocks;
    }

    private static JsonObject Memory(EmulatedContainer container)
    {
        var (memory, cache) = (container.Load.Memory, container.Load.FileCache);
        var counters = new JsonObject { ["hierarchical_memory_limit"] = container.MemoryLimit ?? long.MaxValue, ["hierarchical_memsw_limit"] = long.MaxValue };
        foreach (var prefix in new[] { "", "total_" })
        {
            foreach (var (name, value) in new[] { ("active_anon", memory), ("active_file", 0), ("cache", cache), ("inactive_anon", 0), ("inactive_file", cache), ("rss", memory) })
                counters[prefix + name] = value;
            counters.With(0, string.Join(' ', "dirty mapped_file pgfault pgmajfault pgpgin pgpgout rss_huge unevictable writeback".Split(' ').Select(name => prefix + name)));
        }

        return new()
        {
            ["usage"] = memory + cache,
            ["max_usage"] = memory + cache,
            ["stats"] = counters,
            ["limit"] = container.MemoryLimit ?? EngineDescription.Memory,
        };
    }
}
