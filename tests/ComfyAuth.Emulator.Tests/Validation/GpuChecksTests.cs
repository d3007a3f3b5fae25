using ComfyAuth.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class GpuChecksTests
{
    private static readonly IReadOnlyList<ModelFile> Models = DefaultLayout.QwenModels;

    [Fact]
    public async Task A_GPU_that_the_service_sees_passes()
    {
        await using var bench = await StackBench.StartAsync(options: options => options with { FreeGpuMemory = 23L << 30 });

        var visible = await bench.CheckAsync("gpu.visible");
        Assert.Equal(CheckStatus.Passed, visible.Status);
        Assert.Contains("cuda", visible.Message, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("gpu.memory")).Status);
    }

    [Theory]
    [InlineData(true, "although its container asked")]
    [InlineData(false, "did not ask")]
    public async Task A_service_on_the_processor_fails_and_says_whether_a_GPU_was_asked_for(bool asks, string told)
    {
        await using var bench = await StackBench.StartAsync(
            container => asks ? container : container with { DeviceRequests = [] },
            options => options with { GpuMemory = null });

        var result = await bench.CheckAsync("gpu.visible");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(told, result.Message, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("gpu.memory")).Status);
    }

    [Fact]
    public async Task A_GPU_that_is_too_small_for_the_largest_model_is_a_warning()
    {
        await using var bench = await StackBench.StartAsync(options: options => options with { GpuMemory = 16L << 30 });

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("gpu.memory")).Status);
    }

    [Fact]
    public async Task An_answer_that_is_none_is_neither_passed_nor_failed()
    {
        await using var bench = await StackBench.StartAsync();
        var asked = 0;
        bench.Comfy.Faults = request => request.Path == "/system_stats" && Interlocked.Increment(ref asked) > 2 ? new() { Answer = new FaultAnswer(200, "application/json", "[") } : null;

        Assert.Equal(CheckStatus.Error, (await bench.CheckAsync("gpu.visible")).Status);
    }

    [Theory]
    [InlineData("cuda", 24, 23, CheckStatus.Passed)]
    [InlineData("cuda", 24, 10, CheckStatus.Warning)]
    [InlineData("cuda", 16, 16, CheckStatus.Warning)]
    [InlineData("cpu", 64, 64, CheckStatus.Warning)]
    [InlineData("cuda", null, null, CheckStatus.Error)]
    public void The_memory_of_the_GPU_is_judged(string type, int? total, int? free, CheckStatus status)
    {
        var system = new ComfySystem { Devices = [new() { Name = "device", Type = type, VramTotal = (long?)total << 30, VramFree = (long?)free << 30 }] };

        Assert.Equal(status, GpuChecks.Judge(system, Models).Status);
    }

    [Fact]
    public void What_ComfyUI_holds_itself_counts_as_free()
    {
        var system = new ComfySystem { Devices = [new() { Name = "device", Type = "cuda", VramTotal = 24L << 30, VramFree = 2L << 30, TorchVramTotal = 21L << 30 }] };

        Assert.Equal(CheckStatus.Passed, GpuChecks.Judge(system, Models).Status);
    }
}
