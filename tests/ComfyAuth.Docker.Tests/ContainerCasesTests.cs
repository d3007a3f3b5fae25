using System.Diagnostics;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Docker;

/// <summary>What goes wrong with containers, made to happen: what is the diagnosis, and what becomes of a wait.</summary>
public sealed class ContainerCasesTests(TestEngine engine)
{
    /// <summary>Prints what pip prints, a line each 200 ms.</summary>
    private const string Install =
        """
        for package in torch numpy scipy pillow aiohttp; do
            echo "Collecting $package"; usleep 200000
            echo "  Downloading $package-2.6.0-cp311-cp311-manylinux_2_28_x86_64.whl (780.5 MB)"; usleep 200000
            echo "     ---------------------------------------- 780.5/780.5 MB 1.9 MB/s eta 0:00:00"; usleep 200000
        done
        """;

    private static readonly string[] Packages = ["torch", "numpy", "scipy", "pillow", "aiohttp"];

    private static readonly ContainerWaitOptions Long = new() { Timeout = TimeSpan.FromMinutes(2), StallTimeout = TimeSpan.FromMinutes(1) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Well(bool login)
    {
        var service = new TestService(engine, login);
        await using var container = await service.RunAsync(engine, TestService.Serve, creation => creation with { Healthcheck = TestService.Check("true") });

        var healthy = await service.WaitAsync(engine.Client, Long with { Goal = ContainerGoal.Healthy }, Stop);
        var ready = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal((ContainerWaitOutcome.Reached, ContainerHealthStatus.Healthy), (healthy.Outcome, healthy.Diagnosis.Health));
        Assert.Equal((ContainerWaitOutcome.Reached, ContainerCondition.Ready), (ready.Outcome, ready.Diagnosis.Condition));
        Assert.Equal((true, true, login ? true : null), (ready.Diagnosis.IsLive, ready.Diagnosis.IsReady, ready.Diagnosis.IsProtected));
        Assert.Equal("", ready.Diagnosis.Remedy);
        Assert.Empty(ready.Diagnosis.Also);
        NoSecret(ready);
    }

    [Fact]
    public async Task A_healthcheck_that_gets_401_for_ever()
    {
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, TestService.Serve, creation => OfTheHost(creation, "/usr/bin/curl") with
        {
            Healthcheck = TestService.Check($"curl -f http://127.0.0.1:{service.Port}/ || exit 1"),
        });

        // A check that ran before the server listened fails for another reason.
        var diagnosis = await service.UntilAsync(engine.Client, seen => seen is { Health: ContainerHealthStatus.Unhealthy, Condition: ContainerCondition.HealthcheckCannotPass } && Said(seen).Contains("401", StringComparison.Ordinal), Stop);

        Is(ContainerCondition.HealthcheckCannotPass, diagnosis, "401");
        Assert.Equal((true, true, true), (diagnosis.IsLive, diagnosis.IsProtected, diagnosis.IsReady));
        Assert.NotEmpty(diagnosis.Remedy);
        Assert.Equal(ContainerWaitOutcome.Reached, (await service.WaitAsync(engine.Client, Long, Stop)).Outcome);
        Assert.Equal(ContainerWaitOutcome.Reached, (await service.WaitAsync(engine.Client, Long with { Goal = ContainerGoal.Live }, Stop)).Outcome);
        var healthy = await service.WaitAsync(engine.Client, Long with { Goal = ContainerGoal.Healthy }, Stop);
        Assert.Equal((ContainerWaitOutcome.Failed, diagnosis.Message), (healthy.Outcome, healthy.Message));
        NoSecret(healthy);
    }

    [Fact]
    public async Task No_token_known_and_another_token()
    {
        var service = new TestService(engine, login: true) { KnownToken = null };
        await using var container = await service.RunAsync(engine, TestService.Serve);

        var live = await service.WaitAsync(engine.Client, Long with { Goal = ContainerGoal.Live }, Stop);
        var undetermined = await service.WaitAsync(engine.Client, Long, Stop);
        service.KnownToken = BcryptHash.Parse(TestService.Token.Replace("EixZ", "EixY", StringComparison.Ordinal));
        var refused = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal(ContainerWaitOutcome.Reached, live.Outcome);
        Assert.Equal(ContainerWaitOutcome.Undetermined, undetermined.Outcome);
        Assert.Equal((ContainerWaitOutcome.Failed, ContainerCondition.TokenRefused), (refused.Outcome, refused.Diagnosis.Condition));
        NoSecret(refused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_installation(bool tty)
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, $"until [ -e /tmp/done ]; do\n{Install}\ndone\n{TestService.Serve}", creation => creation with { Tty = tty });
        List<ContainerDiagnosis> seen = [];
        var stall = TimeSpan.FromSeconds(8);

        var clock = new Stopwatch();
        var isLong = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var waiting = service.WaitAsync(engine.Client, Long with { StallTimeout = stall }, Stop, new Collector(seen, () =>
        {
            clock.Start();
            if (clock.Elapsed > stall)
                isLong.TrySetResult();
        }));
        await Task.WhenAny(waiting, isLong.Task);
        await engine.Client.WriteFileAsync(container.Id, "/tmp/done", new("done"u8.ToArray()), Stop);
        var result = await waiting;

        Assert.Equal(ContainerWaitOutcome.Reached, result.Outcome);
        Assert.True(result.Elapsed > stall, $"{result.Elapsed}");
        var installing = seen.Where(diagnosis => diagnosis.Condition == ContainerCondition.Installing).ToList();
        Assert.Contains(installing, diagnosis => Packages.Any(package => diagnosis.Package?.StartsWith(package, StringComparison.Ordinal) == true));
        Assert.Contains(installing, diagnosis => diagnosis.IsMoving == true);
        Assert.DoesNotContain(seen, diagnosis => diagnosis.IsFault);
    }

    [Fact]
    public async Task An_installation_that_stalls()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, $"{Install}\nsleep 600");
        await service.UntilAsync(engine.Client, seen => seen.Package?.Contains("aiohttp", StringComparison.Ordinal) == true, Stop);

        var result = await service.WaitAsync(engine.Client, Long with { StallTimeout = TimeSpan.FromSeconds(4) }, Stop);

        Assert.Equal((ContainerWaitOutcome.Stalled, ContainerCondition.Installing), (result.Outcome, result.Diagnosis.Condition));
        Assert.InRange(result.Elapsed, TimeSpan.FromSeconds(4), Long.Timeout);
        Assert.Contains("aiohttp", result.Message, StringComparison.Ordinal);
        Assert.True(result.Diagnosis.LastSignOfLife < DateTimeOffset.UtcNow.AddSeconds(-3), $"{result.Diagnosis.LastSignOfLife}");
    }

    [Fact]
    public async Task An_installation_that_stalls_while_a_healthcheck_keeps_asking()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "echo Collecting torch; sleep 600", creation => OfTheHost(creation, "/usr/bin/curl") with
        {
            Healthcheck = TestService.Check($"curl -f http://127.0.0.1:{service.Port}/") with { Interval = TimeSpan.FromSeconds(5), Retries = 100 },
        });

        var result = await service.WaitAsync(engine.Client, Long with { StallTimeout = TimeSpan.FromSeconds(12) }, Stop);

        Assert.Equal(ContainerWaitOutcome.Stalled, result.Outcome);
        Assert.InRange(result.Elapsed, TimeSpan.FromSeconds(12), Long.Timeout);
    }

    [Fact]
    public async Task A_crash_loop()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, "echo starting; echo \"ModuleNotFoundError: No module named 'torchsde'\" >&2; exit 3", creation => creation with { RestartPolicy = "always" });

        var result = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal((ContainerWaitOutcome.Failed, result.Diagnosis.Message), (result.Outcome, result.Message));
        Is(ContainerCondition.CrashLoop, result.Diagnosis, "torchsde");
        Assert.Contains("3", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_at_its_memory_limit()
    {
        Assert.SkipUnless((await engine.Client.InfoAsync(Stop)).CanLimitMemory, "this engine cannot limit memory");
        var service = new TestService(engine);
        await using var container = await service.RunAsync(
            engine,
            "x=0123456789012345678901234567890123456789; while :; do x=$x$x; done",
            creation => creation with { MemoryLimit = 32 * 1024 * 1024 });

        // The engine may hear of the end before it hears of the reason.
        await container.EndAsync();
        await container.EventAsync(item => item.Action == "oom");

        var result = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal(ContainerWaitOutcome.Failed, result.Outcome);
        Is(ContainerCondition.OutOfMemory, result.Diagnosis, "32");
    }

    [Fact]
    public async Task A_missing_file_that_became_a_directory()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "the folder is on the engine's machine");
        var folder = Directory.CreateTempSubdirectory("comfyauth-test-");
        try
        {
            var service = new TestService(engine);
            await using var container = await service.RunAsync(engine, "cat /run/qwen-api-user.token; sleep 600", creation => creation with
            {
                Binds = [$"{folder.FullName}/qwen-api-user.token:/run/qwen-api-user.token:ro"],
            });

            var result = await service.WaitAsync(engine.Client, Long, Stop);

            Assert.Equal(ContainerWaitOutcome.Failed, result.Outcome);
            Is(ContainerCondition.MountIsDirectory, result.Diagnosis, "qwen-api-user.token");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_mount_whose_source_is_gone()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "the folder is on the engine's machine");
        var folder = Directory.CreateTempSubdirectory("comfyauth-test-");
        var service = new TestService(engine);
        await using var container = await service.RunAsync(
            engine,
            TestService.Serve,
            creation => creation with { Mounts = [new("bind", "", folder.FullName, "/workspace/models", ReadOnly: true)] },
            start: false);
        folder.Delete();
        await Assert.ThrowsAsync<DockerException>(() => engine.Client.StartAsync(container.Id, Stop));

        var result = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal(ContainerWaitOutcome.Failed, result.Outcome);
        Is(ContainerCondition.MountMissing, result.Diagnosis, folder.FullName);
    }

    [Theory]
    [InlineData(TestService.Serve, "/bin/busybox", "bind: Address already in use")]
    [InlineData("""exec python3 -c "import asyncio; asyncio.run(asyncio.start_server(print, '0.0.0.0', $PORT))" """, "/usr/bin/python3", "address already in use")]
    public async Task A_port_that_is_taken(string server, string program, string words)
    {
        TestService first = new(engine), second = new(engine, port: first.Port);
        await using var one = await first.RunAsync(engine, TestService.Serve);
        await first.WaitAsync(engine.Client, Long, Stop);
        await using var two = await second.RunAsync(engine, server, creation => OfTheHost(creation, program));
        await two.EndAsync();

        var result = await second.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal(ContainerWaitOutcome.Failed, result.Outcome);
        Is(ContainerCondition.PortConflict, result.Diagnosis, words);
    }

    [Fact]
    public async Task A_container_that_is_frozen()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await engine.Client.PauseAsync(container.Id, Stop);

        var result = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal((ContainerWaitOutcome.Failed, ContainerCondition.Paused), (result.Outcome, result.Diagnosis.Condition));
        await engine.Client.UnpauseAsync(container.Id, Stop);
        Assert.Equal(ContainerWaitOutcome.Reached, (await service.WaitAsync(engine.Client, Long, Stop)).Outcome);
    }

    [Fact]
    public async Task A_container_that_was_stopped_and_one_that_never_was()
    {
        var service = new TestService(engine);
        var absent = await service.WaitAsync(engine.Client, Long, Stop);
        Assert.Equal((ContainerWaitOutcome.Failed, ContainerCondition.Absent), (absent.Outcome, absent.Diagnosis.Condition));
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await engine.Client.StopAsync(container.Id, TimeSpan.Zero, Stop);

        var result = await service.WaitAsync(engine.Client, Long, Stop);

        Assert.Equal((ContainerWaitOutcome.Failed, ContainerCondition.Stopped), (result.Outcome, result.Diagnosis.Condition));
    }

    [Fact]
    public async Task No_healthcheck()
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(engine, TestService.Serve);

        var result = await service.WaitAsync(engine.Client, Long with { Goal = ContainerGoal.Healthy }, Stop);

        Assert.Equal(ContainerWaitOutcome.Undetermined, result.Outcome);
        Assert.Contains("has no healthcheck; wait for Ready instead", result.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerWaitOutcome.Reached, (await service.WaitAsync(engine.Client, Long, Stop)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Characters_that_are_printed_byte_by_byte(bool tty)
    {
        var service = new TestService(engine);
        await using var container = await service.RunAsync(
            engine,
            @"printf 'Fehler: Schl\303'; usleep 200000; printf '\274ssel caf\303'; usleep 200000; printf '\251\n'; exit 3",
            creation => creation with { RestartPolicy = "always", Tty = tty });

        var diagnosis = await service.UntilAsync(engine.Client, seen => seen.Condition == ContainerCondition.CrashLoop, Stop);

        Is(ContainerCondition.CrashLoop, diagnosis, "Schlüssel café");
    }

    [Fact]
    public async Task A_log_that_holds_the_token()
    {
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, "echo \"For direct API calls, use token=$TOKEN\"; echo \"PASSWORD=hunter2hunter2\"; exit 3", creation => creation with { RestartPolicy = "always" });
        List<ContainerDiagnosis> seen = [];

        var result = await service.WaitAsync(engine.Client, Long, Stop, new Collector(seen));

        Assert.Equal(ContainerWaitOutcome.Failed, result.Outcome);
        NoSecret(result);
        Assert.All(seen, diagnosis => Assert.DoesNotContain("hunter2", Text(diagnosis), StringComparison.Ordinal));
    }

    /// <summary>With the programs of this machine, read-only.</summary>
    private ContainerCreation OfTheHost(ContainerCreation creation, string needed)
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "the programs of this machine are lent to an engine of our own only");
        Assert.SkipUnless(File.Exists(needed), $"there is no {needed}");
        return creation with { Binds = ["/usr:/usr:ro", "/lib:/lib:ro", "/bin:/bin:ro", .. Directory.Exists("/lib64") ? new[] { "/lib64:/lib64:ro" } : []] };
    }

    private static void Is(ContainerCondition condition, ContainerDiagnosis diagnosis, string evidence)
    {
        Assert.True(condition == diagnosis.Condition, Text(diagnosis));
        Assert.True(Said(diagnosis).Contains(evidence, StringComparison.Ordinal), Text(diagnosis));
        TestContext.Current.TestOutputHelper?.WriteLine(Text(diagnosis));
    }

    private static string Said(ContainerDiagnosis diagnosis) => diagnosis.Message + string.Join('\n', diagnosis.Evidence);

    private static void NoSecret(ContainerWaitResult result) =>
        Assert.DoesNotContain(TestService.Token[^31..], result.Message + Text(result.Diagnosis), StringComparison.Ordinal);

    private static string Text(ContainerDiagnosis diagnosis) => System.Text.Json.JsonSerializer.Serialize(diagnosis);

    private sealed class Collector(List<ContainerDiagnosis> seen, Action? hear = null) : IProgress<ContainerDiagnosis>
    {
        public void Report(ContainerDiagnosis value)
        {
            lock (seen)
                seen.Add(value);
            hear?.Invoke();
        }
    }
}
