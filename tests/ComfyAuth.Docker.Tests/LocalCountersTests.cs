using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>What the kernel counts of a container is what the engine tells of it.</summary>
public sealed class LocalCountersTests(TestEngine engine)
{
    [Fact]
    public async Task The_kernels_counters_lie_between_two_samples_of_the_engine()
    {
        await using var container = await engine.RunAsync("echo ready; exec dd if=/dev/zero of=/dev/null bs=1k", creation => creation with { MemoryLimit = 64 * 1024 * 1024 });
        var stop = TestContext.Current.CancellationToken;
        await container.PrintedAsync("ready");
        var details = await container.InspectAsync();
        var before = await engine.Client.StatsAsync(container.Id, stop);
        var read = LocalCounters.Read(details);
        var after = await engine.Client.StatsAsync(container.Id, stop);

        Assert.SkipWhen(read is null && !engine.IsOurs, "the engine is on another machine");
        Assert.NotNull(read);
        Assert.InRange(read.CpuTime, before!.CpuTime, after!.CpuTime);
        Assert.InRange(read.MemoryUsed, 1, 64 * 1024 * 1024);
        Assert.Equal(after.MemoryLimit, read.MemoryLimit);
        Assert.Equal(after.ProcessCount, read.ProcessCount);
        Assert.Equal(after.NetworkReceived, read.NetworkReceived);

        // How much of a processor it got is a matter of what else the machine does.
        var later = LocalCounters.Read(details)!;
        Assert.InRange(later.CpuTime, after.CpuTime, TimeSpan.FromHours(1));
        Assert.NotNull(ContainerUsage.Between(read, later).Cpu);
    }

    [Fact]
    public async Task Without_a_limit_the_machines_memory_is_it()
    {
        await using var container = await engine.RunAsync("sleep 1000");
        var told = await engine.Client.StatsAsync(container.Id, TestContext.Current.CancellationToken);

        Assert.Equal(told!.MemoryLimit, LocalCounters.Read(await container.InspectAsync())?.MemoryLimit);
    }

    [Fact]
    public async Task A_process_that_is_not_the_containers_is_not_believed()
    {
        await using var container = await engine.RunAsync("sleep 1000");
        var details = await container.InspectAsync();

        Assert.Null(LocalCounters.Read(details with { ProcessId = Environment.ProcessId }));
        Assert.Null(LocalCounters.Read(details with { Id = new string('0', 64) }));
        Assert.Null(LocalCounters.Read(details with { ProcessId = 0 }));
        Assert.Null(LocalCounters.Read(details with { ProcessId = int.MaxValue }));
    }
}
