using System.Diagnostics;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

public sealed class EngineLogTests(TestEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_keeps_the_two_streams_apart_and_has_timestamps()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        await using var container = await engine.RunAsync("echo one; echo two >&2; echo; printf 'no end'");
        await engine.Client.WaitAsync(container.Id, Stop);

        var lines = await container.LogAsync();

        Assert.Equal(["one", "", "no end"], lines.Where(line => line.Stream == ContainerLogStream.StandardOutput).Select(line => line.Text));
        Assert.Equal(["two"], lines.Where(line => line.Stream == ContainerLogStream.StandardError).Select(line => line.Text));
        Assert.All(lines, line => Assert.InRange(line.Timestamp!.Value, before, DateTimeOffset.UtcNow.AddSeconds(1)));
        Assert.All(await container.LogAsync(new() { Timestamps = false }), line => Assert.Null(line.Timestamp));
    }

    [Fact]
    public async Task A_log_of_a_terminal_is_read_as_it_is()
    {
        await using var container = await engine.RunAsync("echo größe; echo two >&2; echo", creation => creation with { Tty = true });
        await engine.Client.WaitAsync(container.Id, Stop);

        var lines = await container.LogAsync();

        Assert.Equal(["größe", "two", ""], lines.Select(line => line.Text));
        Assert.All(lines, line => Assert.Equal(ContainerLogStream.StandardOutput, line.Stream));
        Assert.All(lines, line => Assert.NotNull(line.Timestamp));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Characters_that_the_engine_split_between_frames_are_whole(bool timestamps)
    {
        // The engine cuts lines at 16 KiB, here into a character. Its driver json-file spoils such a character before anybody
        // can read it; the driver local does not, though some versions of it lose the end of such a line.
        await using var container = await engine.RunAsync(
            "printf x; for i in $(seq 5000); do printf '€äé𝄞'; done; echo; echo next",
            creation => creation with { LogDriver = "local" });
        await engine.Client.WaitAsync(container.Id, Stop);

        var lines = await container.LogAsync(new() { Timestamps = timestamps });

        Assert.Equal("x" + string.Concat(Enumerable.Repeat("€äé𝄞", 5000)) + "next", string.Concat(lines.Select(line => line.Text)));
        Assert.InRange(lines.Count, 1, 2);
    }

    [Fact]
    public async Task The_tail_and_what_came_since_are_all_that_is_asked_for()
    {
        await using var container = await engine.RunAsync("seq 100; usleep 300000; echo late");
        await engine.Client.WaitAsync(container.Id, Stop);

        var all = await container.LogAsync();
        Assert.Equal(["99", "100", "late"], (await container.LogAsync(new() { Tail = 3 })).Select(line => line.Text));
        Assert.Empty(await container.LogAsync(new() { Tail = 0 }));
        Assert.Equal(["late"], (await container.LogAsync(new() { Since = all[^1].Timestamp })).Select(line => line.Text));
    }

    [Fact]
    public async Task Following_a_silent_container_waits_and_ends_with_it()
    {
        await using var client = new DockerClient(engine.Client.Endpoint, new() { RequestTimeout = TimeSpan.FromSeconds(10) });
        await using var container = await engine.RunAsync("echo begin; sleep 12; echo end");
        List<string> lines = [];

        await foreach (var line in client.LogsAsync(container.Id, new() { Follow = true }, Stop))
            lines.Add(line.Text);

        Assert.Equal(["begin", "end"], lines);
    }

    [Fact]
    public async Task Following_a_container_that_has_printed_nothing_yet_is_no_timeout()
    {
        await using var client = new DockerClient(engine.Client.Endpoint, new() { RequestTimeout = TimeSpan.FromSeconds(10) });
        await using var container = await engine.RunAsync("sleep 12; echo end");
        List<string> lines = [];

        await foreach (var line in client.LogsAsync(container.Id, new() { Follow = true, Tty = false }, Stop))
            lines.Add(line.Text);

        Assert.Equal(["end"], lines);
    }

    [Fact]
    public async Task A_cancelled_follow_ends_at_once()
    {
        await using var container = await engine.RunAsync("echo begin; sleep 600");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var clock = new Stopwatch();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in engine.Client.LogsAsync(container.Id, new() { Follow = true }, cancel.Token))
            {
                clock.Start();
                await cancel.CancelAsync();
            }
        });

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_follow_that_the_caller_leaves_closes_its_connection_at_once()
    {
        await using var container = await engine.RunAsync("while :; do echo line; usleep 1000; done");
        List<TimeSpan> left = [];
        for (var round = 0; round < 20; round++)
        {
            var clock = new Stopwatch();
            await foreach (var _ in engine.Client.LogsAsync(container.Id, new() { Follow = true, Tail = 1, Tty = false }, Stop))
            {
                clock.Start();
                break;
            }

            left.Add(clock.Elapsed);
        }

        // Emptying each stream first would take for ever; a drain time, two seconds each time. On a busy machine not each is quick.
        Assert.True(left.Min() < TimeSpan.FromSeconds(2), string.Join(' ', left));
    }
}
