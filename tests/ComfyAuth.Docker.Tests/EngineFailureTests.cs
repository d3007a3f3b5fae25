using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>An engine that dies or hangs; each test has one of its own.</summary>
public sealed class EngineFailureTests(TestEngine engine)
{
    // The two seconds that are promised; the rest is for a busy machine. Whoever waits for what he should not waits longer.
    private static readonly TimeSpan Clear = TimeSpan.FromSeconds(2 + 23);

    private static readonly DockerClientOptions Patient = new() { ConnectTimeout = TimeSpan.FromMinutes(1), RequestTimeout = TimeSpan.FromMinutes(1), ProbeTime = TimeSpan.FromMinutes(1) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_that_is_killed_in_mid_command_gives_a_clear_error_within_two_seconds()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is killed");
        await using var own = await EngineProcess.StartAsync("killed", Stop);
        await using var client = new DockerClient(own.Endpoint, Patient);
        await client.ImportImageAsync(await EngineProcess.ArchiveAsync(), "busybox", stop: Stop);
        var id = await client.CreateContainerAsync(new() { Image = "busybox", Command = ["/bin/sh", "-c", "echo ready; sleep 600"], NetworkMode = "none" }, Stop);
        await client.StartAsync(id, Stop);

        // Everything that waits, at once.
        var streaming = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var executing = client.ExecAsync(id, ["sleep", "600"], stop: Stop);
        var waiting = client.WaitAsync(id, Stop);
        var following = Task.Run(async () =>
        {
            await foreach (var _ in client.LogsAsync(id, new() { Follow = true }, Stop))
                streaming.TrySetResult();
        }, Stop);
        var listening = Task.Run(async () =>
        {
            await foreach (var _ in client.EventsAsync(null, Stop))
            {
            }
        }, Stop);
        await streaming.Task.WaitAsync(Stop);
        await foreach (var item in client.EventsAsync(new() { Containers = [id], Since = DateTimeOffset.UnixEpoch.AddSeconds(1) }, Stop))
        {
            if (item.Action == "exec_start")
                break;
        }

        own.Kill();
        var clock = Stopwatch.StartNew();
        foreach (var task in new[] { executing, waiting, following, listening })
        {
            var error = await Assert.ThrowsAsync<DockerException>(() => task);
            Assert.True(clock.Elapsed < Clear, $"{clock.Elapsed}: {error.Message}");
            Assert.Equal("DockerNotRunning", error.Code);
            Assert.Contains(own.Endpoint.Address, error.Message, StringComparison.Ordinal);
        }

        Assert.Equal("DockerNotRunning", (await Assert.ThrowsAsync<DockerException>(() => client.ListContainersAsync(stop: Stop))).Code);
        Assert.True(clock.Elapsed < Clear, $"{clock.Elapsed}");
        TestContext.Current.TestOutputHelper?.WriteLine($"all errors after {clock.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task An_engine_that_is_killed_while_a_service_takes_its_time_gives_a_clear_error_within_two_seconds()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is killed");
        await using var own = await EngineProcess.StartAsync("slow", Stop);
        await using var client = new DockerClient(own.Endpoint, Patient);
        await client.ImportImageAsync(await EngineProcess.ArchiveAsync(), "busybox", stop: Stop);
        await client.StartAsync(await client.CreateContainerAsync(new() { Image = "busybox", Name = "slow", Command = ["sleep", "600"], NetworkMode = "host" }, Stop), Stop);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var service = new ServiceDefinition { Name = "slow", Container = "slow", Url = new($"http://{silent.LocalEndpoint}") };
        var observer = new ContainerObserver(client, new(), (_, _) => null) { Patience = TimeSpan.FromMinutes(1), Prober = new() { Timeout = TimeSpan.FromMinutes(5) } };
        var looking = Task.Run(async () =>
        {
            await foreach (var _ in observer.ObserveAsync(new() { Root = Path.GetTempPath(), Definition = new() { Source = "source.conf", Services = [service] } }, [service], Stop))
            {
            }
        }, Stop);

        using var connection = await silent.AcceptTcpClientAsync(Stop);
        own.Kill();
        var clock = Stopwatch.StartNew();

        Assert.Equal("DockerNotRunning", (await Assert.ThrowsAsync<DockerException>(() => looking)).Code);
        Assert.True(clock.Elapsed < Clear, $"{clock.Elapsed}");
    }

    [Fact]
    public async Task An_engine_that_hangs_is_a_timeout_and_can_be_cancelled_before()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is stopped");
        await using var own = await EngineProcess.StartAsync("hung", Stop);
        await using var client = new DockerClient(own.Endpoint, new() { RequestTimeout = TimeSpan.FromSeconds(10) });
        await client.PingAsync(Stop);
        await own.FreezeAsync(Stop);
        try
        {
            Assert.Equal("DockerTimeout", (await Assert.ThrowsAsync<DockerException>(() => client.ListContainersAsync(stop: Stop))).Code);

            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var listing = client.ListContainersAsync(stop: cancel.Token);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listing);
        }
        finally
        {
            own.Signal("CONT");
        }

        await client.ListContainersAsync(stop: Stop);
    }

    [Fact]
    public async Task A_client_goes_on_when_its_engine_was_restarted()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is restarted");
        DockerClient client;
        await using (var own = await EngineProcess.StartAsync("again", Stop))
        {
            client = new DockerClient(own.Endpoint);
            await client.ListContainersAsync(stop: Stop);
        }

        await Assert.ThrowsAsync<DockerException>(() => client.ListContainersAsync(stop: Stop));
        await using (await EngineProcess.StartAsync("again", Stop))
            Assert.Empty(await client.ListContainersAsync(stop: Stop));
        await client.DisposeAsync();
    }
}
