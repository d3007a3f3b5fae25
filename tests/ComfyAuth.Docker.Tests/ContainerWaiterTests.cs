using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using ComfyAuth.Containers;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>Waits whose world changes under them.</summary>
public sealed class ContainerWaiterTests(TestEngine engine)
{
    // How late a busy machine may be; whoever waits for what he should not waits longer.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(25);

    private static readonly ContainerWaitOptions Long = new() { Timeout = TimeSpan.FromMinutes(2), StallTimeout = TimeSpan.FromMinutes(1) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_negative_timeout_is_refused_before_anything_is_asked()
    {
        await using var nobody = new DockerClient(DockerEndpoint.Parse("unix:///nowhere", "the tests"));
        var service = new TestService(engine);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => service.WaitAsync(nobody, new() { Timeout = TimeSpan.FromSeconds(-1) }, Stop));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => service.WaitAsync(nobody, new() { StallTimeout = Timeout.InfiniteTimeSpan }, Stop));
    }

    [Fact]
    public async Task An_engine_that_cannot_be_asked_at_the_first_look_is_an_error_at_once()
    {
        await using var nobody = new DockerClient(DockerEndpoint.Parse("unix:///nowhere", "the tests"));
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAsync<DockerException>(() => new TestService(engine).WaitAsync(nobody, Long, Stop));

        Assert.True(clock.Elapsed < AtOnce, $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_timeout_of_zero_looks_once()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "sleep 600");
        var seen = new Seen();

        var result = await service.WaitAsync(engine.Client, new() { Timeout = TimeSpan.Zero }, Stop, seen);

        Assert.Equal(ContainerWaitOutcome.TimedOut, result.Outcome);
        Assert.Single(seen.All);
    }

    [Fact]
    public async Task A_timeout_is_kept_and_tells_what_was_seen_last()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "sleep 600");

        var result = await service.WaitAsync(engine.Client, new() { Timeout = TimeSpan.FromSeconds(2.5) }, Stop);

        Assert.Equal(ContainerWaitOutcome.TimedOut, result.Outcome);
        Assert.InRange(result.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(2.5) + AtOnce);
        Assert.Contains(result.Diagnosis.Message, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_wait_ends_at_once_and_leaves_no_connection()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "sleep 600");
        await using var client = new DockerClient(engine.Client.Endpoint);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var seen = new Seen();
        var waiting = service.WaitAsync(client, Long, cancel.Token, seen);
        await seen.UntilAsync(_ => true);

        var clock = Stopwatch.StartNew();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.True(clock.Elapsed < AtOnce, $"{clock.Elapsed}");

        // After it nobody looks any more.
        var looks = seen.All.Count;
        await using var other = await engine.RunAsync("usleep 1500000");
        await engine.Client.WaitAsync(other.Id, Stop);
        Assert.Equal(looks, seen.All.Count);
    }

    [Fact]
    public async Task A_caller_who_leaves_the_enumeration_ends_the_other_waits()
    {
        TestService fast = new(engine), slow = new(engine);
        await using var one = await fast.RunAsync(engine, TestService.Serve);
        await using var two = await slow.RunAsync(engine, "sleep 600");
        var clock = new Stopwatch();

        await foreach (var result in TestService.WaitForAllAsync(engine.Client, [fast, slow], Long, null, Stop))
        {
            Assert.Equal((ContainerWaitOutcome.Reached, fast.Definition.Container), (result.Outcome, result.Diagnosis.Container));
            clock.Start();
            break;
        }

        Assert.True(clock.Elapsed < AtOnce, $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Each_result_comes_as_its_wait_ends()
    {
        TestService slow = new(engine), absent = new(engine), fast = new(engine);
        await using var one = await slow.RunAsync(engine, $"until [ -e /tmp/go ]; do usleep 100000; done; {TestService.Serve}");
        await using var two = await fast.RunAsync(engine, TestService.Serve);
        List<(string, ContainerWaitOutcome)> results = [];

        await foreach (var result in TestService.WaitForAllAsync(engine.Client, [slow, absent, fast], Long, null, Stop))
        {
            results.Add((result.Diagnosis.Container, result.Outcome));
            if (results.Count == 2)
                await engine.Client.WriteFileAsync(one.Id, "/tmp/go", new("go"u8.ToArray()), Stop);
        }

        Assert.Equal((slow.Definition.Container, ContainerWaitOutcome.Reached), results[^1]);
        Assert.Equal(
            new[] { (absent.Definition.Container, ContainerWaitOutcome.Failed), (fast.Definition.Container, ContainerWaitOutcome.Reached) }.Order(),
            results[..2].Order());
    }

    [Fact]
    public async Task An_event_of_the_engine_ends_the_pause_between_two_looks()
    {
        // The pause is longer than the wait: without an event there is no second look before the timeout.
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "sleep 600");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var seen = new Seen();
        var waiting = service.WaitAsync(engine.Client, Long with { Timeout = TimeSpan.FromMinutes(10), StallTimeout = TimeSpan.FromMinutes(10) }, cancel.Token, seen, pause: TimeSpan.FromMinutes(10));
        await seen.UntilAsync(diagnosis => diagnosis.State == ContainerState.Running);

        // When the engine begins to tell its events nobody can know; it has many to tell.
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        while (seen.All.Count == 1)
        {
            Assert.False(deadline.IsCancellationRequested, "no event ended the pause");
            await engine.Client.RestartAsync(container.Id, TimeSpan.Zero, Stop);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_container_that_is_removed_in_the_middle_is_absent_after_a_grace()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "sleep 600");
        var seen = new Seen();
        var waiting = service.WaitAsync(engine.Client, Long, Stop, seen);
        await seen.UntilAsync(_ => true);
        var clock = Stopwatch.StartNew();
        await engine.Client.RemoveContainerAsync(container.Id, force: true, Stop);

        var result = await waiting;

        Assert.Equal((ContainerWaitOutcome.Failed, ContainerCondition.Absent), (result.Outcome, result.Diagnosis.Condition));
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(4.5) + AtOnce);
    }

    [Fact]
    public async Task A_container_that_is_made_anew_in_the_middle_is_waited_for()
    {
        var service = new TestService(engine);
        var seen = new Seen();
        Task<ContainerWaitResult> waiting;
        await using (await service.RunAsync(engine, "sleep 600"))
        {
            waiting = service.WaitAsync(engine.Client, Long, Stop, seen, recreationGrace: Long.Timeout);
            await seen.UntilAsync(_ => true);
        }

        await seen.UntilAsync(diagnosis => diagnosis.Condition == ContainerCondition.Absent);
        await using var second = await service.RunAsync(engine, TestService.Serve);

        var result = await waiting;
        Assert.Equal((ContainerWaitOutcome.Reached, second.Id), (result.Outcome, result.Diagnosis.Id));
    }

    [Fact]
    public async Task A_container_that_is_restarted_in_the_middle_is_waited_for()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, $"if [ -e /tmp/second ]; then {TestService.Serve}; fi; >/tmp/second; echo noted; sleep 600");
        var seen = new Seen();
        var waiting = service.WaitAsync(engine.Client, Long, Stop, seen, recreationGrace: Long.Timeout);
        await seen.UntilAsync(diagnosis => diagnosis.State == ContainerState.Running);
        await container.PrintedAsync("noted");

        await engine.Client.StopAsync(container.Id, TimeSpan.Zero, Stop);
        await seen.UntilAsync(diagnosis => diagnosis.Condition == ContainerCondition.Stopped);
        await engine.Client.StartAsync(container.Id, Stop);

        Assert.Equal(ContainerWaitOutcome.Reached, (await waiting).Outcome);
    }

    [Fact]
    public async Task A_wait_survives_a_restart_of_the_engine()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is killed");
        await using var own = await EngineProcess.StartAsync("wait", Stop, "--live-restore");
        await using var client = new DockerClient(own.Endpoint);
        await client.ImportImageAsync(await EngineProcess.ArchiveAsync(), "busybox", stop: Stop);
        var service = new TestService(engine);
        var id = await client.CreateContainerAsync(service.Creation("busybox", $"until [ -e /tmp/go ]; do usleep 100000; done; {TestService.Serve}"), Stop);
        await client.StartAsync(id, Stop);
        var seen = new Seen();
        var waiting = service.WaitAsync(client, Long with { Timeout = TimeSpan.FromMinutes(10), StallTimeout = TimeSpan.FromMinutes(5) }, Stop, seen, engineGrace: TimeSpan.FromMinutes(5));
        await seen.UntilAsync(diagnosis => diagnosis.Condition != ContainerCondition.Unknown);

        own.Kill();
        var silent = await seen.UntilAsync(diagnosis => diagnosis.Condition == ContainerCondition.Unknown);
        Assert.StartsWith("The Docker engine has not answered for ", silent.Message, StringComparison.Ordinal);
        Assert.NotEmpty(silent.Remedy);
        await own.StartAgainAsync(Stop);
        await client.WriteFileAsync(id, "/tmp/go", new("go"u8.ToArray()), Stop);

        var result = await waiting;
        Assert.Equal((ContainerWaitOutcome.Reached, id), (result.Outcome, result.Diagnosis.Id));
    }

    [Fact]
    public async Task An_engine_that_does_not_come_back_is_an_error_after_a_grace()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is killed");
        await using var own = await EngineProcess.StartAsync("gone", Stop);
        await using var client = new DockerClient(own.Endpoint);
        await client.ImportImageAsync(await EngineProcess.ArchiveAsync(), "busybox", stop: Stop);
        var service = new TestService(engine);
        await client.StartAsync(await client.CreateContainerAsync(service.Creation("busybox", "sleep 600"), Stop), Stop);
        Seen seen = new(), also = new();
        var grace = TimeSpan.FromSeconds(3);
        var waiting = service.WaitAsync(client, Long, Stop, seen, grace);
        var timing = service.WaitAsync(client, Long with { Timeout = TimeSpan.FromSeconds(20) }, Stop, also);
        await seen.UntilAsync(_ => true);
        await also.UntilAsync(_ => true);

        own.Kill();

        Assert.Equal("DockerNotRunning", (await Assert.ThrowsAsync<DockerException>(() => waiting)).Code);
        var lastSeen = seen.All.Last(diagnosis => diagnosis.Condition != ContainerCondition.Unknown).ObservedAt;
        Assert.InRange(DateTimeOffset.UtcNow - lastSeen, grace, grace + AtOnce);
        var result = await timing;
        Assert.Equal(ContainerWaitOutcome.TimedOut, result.Outcome);
        Assert.Contains("The Docker engine has not answered for ", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_hangs_does_not_hold_up_the_timeout()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "only an engine of our own is frozen");
        await using var own = await EngineProcess.StartAsync("frozen", Stop);
        await using var client = new DockerClient(own.Endpoint);
        await client.ImportImageAsync(await EngineProcess.ArchiveAsync(), "busybox", stop: Stop);
        var service = new TestService(engine);
        await client.StartAsync(await client.CreateContainerAsync(service.Creation("busybox", "sleep 600"), Stop), Stop);
        var seen = new Seen();
        var waiting = service.WaitAsync(client, Long with { Timeout = TimeSpan.FromSeconds(4) }, Stop, seen);
        await seen.UntilAsync(_ => true);
        await own.FreezeAsync(Stop);
        try
        {
            var result = await waiting;
            Assert.Equal(ContainerWaitOutcome.TimedOut, result.Outcome);
            Assert.InRange(result.Elapsed, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4) + AtOnce);
        }
        finally
        {
            own.Signal("CONT");
        }
    }

    /// <summary>What a wait told while it went on.</summary>
    private sealed class Seen : IProgress<ContainerDiagnosis>
    {
        private readonly Channel<bool> _more = Channel.CreateUnbounded<bool>();

        public ConcurrentQueue<ContainerDiagnosis> All { get; } = new();

        public void Report(ContainerDiagnosis value)
        {
            All.Enqueue(value);
            _more.Writer.TryWrite(true);
        }

        public async Task<ContainerDiagnosis> UntilAsync(Func<ContainerDiagnosis, bool> wanted)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            deadline.CancelAfter(TimeSpan.FromMinutes(2));
            while (true)
            {
                if (All.FirstOrDefault(wanted) is { } found)
                    return found;
                await _more.Reader.ReadAsync(deadline.Token);
            }
        }
    }
}
