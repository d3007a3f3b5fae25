using System.Text.Json;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

public sealed class ContainerUsageTests
{
    [Theory]
    [InlineData("""{"total_inactive_file":300,"inactive_file":10}""", 700)]
    [InlineData("""{"inactive_file":300}""", 700)]
    [InlineData("""{"inactive_file":3000}""", 0)]
    [InlineData("null", 1000)]
    public void Memory_that_the_kernel_can_drop_at_once_does_not_count(string stats, long used) =>
        Assert.Equal(used, Sample(1, 1, memory: stats)!.MemoryUsed);

    [Fact]
    public void Cpu_is_time_per_time_of_one_processor()
    {
        var usage = ContainerUsage.Between(Sample(1_000_000_000, 10_000_000_000)!, Sample(2_000_000_000, 14_000_000_000, second: 2)!);

        Assert.Equal(50, usage.Cpu);
        Assert.Equal(TimeSpan.FromSeconds(2), usage.Period);
    }

    [Fact]
    public void Samples_at_one_moment_give_no_cpu_and_a_restart_between_them_nothing_negative()
    {
        var first = Sample(5_000_000_000, 10_000_000_000)!;

        Assert.Null(ContainerUsage.Between(first, first).Cpu);
        Assert.Equal(0, ContainerUsage.Between(first, Sample(1_000_000_000, 14_000_000_000)!).Cpu);
        Assert.Equal(50, ContainerUsage.Between(Sample(1_000_000_000, 0)!, Sample(2_000_000_000, 0, second: 2)!).Cpu);
    }

    [Fact]
    public void A_container_that_does_not_run_has_no_counters() =>
        Assert.Null(ContainerStats.From(JsonSerializer.Deserialize("""{"read":"0001-01-01T00:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":0}}}""", DockerStatsJson.Default.StatsAnswer)!));

    private static ContainerStats? Sample(long cpu, long system, int second = 0, string memory = "null") =>
        ContainerStats.From(JsonSerializer.Deserialize(
            $$"""{"read":"2026-01-01T00:00:0{{second}}.123456789Z","cpu_stats":{"cpu_usage":{"total_usage":{{cpu}}},"system_cpu_usage":{{system}},"online_cpus":2},"memory_stats":{"usage":1000,"limit":5000,"stats":{{memory}} } }""",
            DockerStatsJson.Default.StatsAnswer)!);
}
