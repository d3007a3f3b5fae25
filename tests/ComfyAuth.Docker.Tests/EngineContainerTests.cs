using System.Diagnostics;
using System.Text;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

public sealed class EngineContainerTests(TestEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_tells_its_version_and_what_it_can()
    {
        var common = await engine.Client.PingAsync(Stop);
        var version = await engine.Client.VersionAsync(Stop);
        var info = await engine.Client.InfoAsync(Stop);

        Assert.True(common >= DockerClient.OldestApiVersion && common <= DockerClient.NewestApiVersion);
        Assert.True(common <= Version.Parse(version.ApiVersion));
        Assert.Equal(version.Version, info.Version);
        Assert.Equal("linux", info.ContainerSystem);
        Assert.True(info.Memory > 0 && info.Cpus > 0);
        Assert.NotEmpty(info.Runtimes);
    }

    [Fact]
    public async Task A_list_has_only_the_containers_whose_whole_name_is_asked_for()
    {
        await using var one = await engine.RunAsync("sleep 600", creation => creation with { Name = creation.Name + ".a", Labels = new Dictionary<string, string> { ["role"] = "one" } });
        await using var longer = await engine.RunAsync("sleep 600", creation => creation with { Name = one.Name + "b" }, start: false);
        await using var other = await engine.RunAsync("sleep 600", creation => creation with { Name = one.Name.Replace(".a", "xa", StringComparison.Ordinal) }, start: false);

        var found = Assert.Single(await engine.Client.ListContainersAsync(names: [one.Name], stop: Stop));
        Assert.Equal((one.Id, one.Name, ContainerState.Running, engine.Image), (found.Id, found.Name, found.State, found.Image));
        Assert.Equal("one", found.Labels["role"]);
        Assert.StartsWith("Up ", found.Status, StringComparison.Ordinal);

        Assert.Equal([one.Id, longer.Id], (await engine.Client.ListContainersAsync(names: [longer.Name, one.Name], stop: Stop)).Select(item => item.Id).Order().OrderBy(id => id == longer.Id));
        Assert.Single(await engine.Client.ListContainersAsync(all: false, names: [one.Name, longer.Name], stop: Stop));
        Assert.Single(await engine.Client.ListContainersAsync(names: [one.Name], labels: ["role=one"], stop: Stop));
        Assert.Empty(await engine.Client.ListContainersAsync(names: [one.Name], labels: ["role=two"], stop: Stop));
    }

    [Fact]
    public async Task Inspection_gives_back_what_a_container_was_made_with()
    {
        var folder = Directory.CreateTempSubdirectory("comfyauth-test-").FullName;
        try
        {
            await using var container = await engine.RunAsync("sleep 600", creation => creation with
            {
                Environment = new Dictionary<string, string> { ["HF_TOKEN"] = "hf_secret=value", ["EMPTY"] = "" },
                Labels = new Dictionary<string, string> { ["com.docker.compose.service"] = "comfyui" },
                MemoryLimit = 64 * 1024 * 1024,
                RestartPolicy = "unless-stopped",
                Binds = [folder + ":/data:ro"],
                Ports = [new(8188, "tcp", "127.0.0.1", 18188)],
                User = "1000:1000",
                WorkingDirectory = "/tmp",
                Init = true,
                Healthcheck = new() { Test = ["CMD", "true"], Interval = TimeSpan.FromSeconds(7), Timeout = TimeSpan.FromMilliseconds(1500), StartPeriod = TimeSpan.FromMinutes(10), Retries = 4 },
            }, start: false);

            var details = await container.InspectAsync();

            Assert.Equal((container.Id, container.Name, engine.Image, ContainerState.Created), (details.Id, details.Name, details.Image, details.State));
            Assert.Equal("hf_secret=value", details.Environment.Single(variable => variable.Name == "HF_TOKEN").Reveal());
            Assert.Equal("", details.Environment.Single(variable => variable.Name == "EMPTY").Reveal());
            Assert.DoesNotContain("hf_secret", details.ToString() + string.Join(',', details.Environment) + System.Text.Json.JsonSerializer.Serialize(details), StringComparison.Ordinal);
            Assert.Equal("comfyui", details.Labels["com.docker.compose.service"]);
            Assert.Equal(64 * 1024 * 1024, details.MemoryLimit);
            Assert.Equal("unless-stopped", details.RestartPolicy);
            Assert.Equal(new ContainerMount("bind", "", folder, "/data", ReadOnly: true), Assert.Single(details.Mounts));
            Assert.Equal(new ContainerPort(8188, "tcp", "127.0.0.1", 18188), Assert.Single(details.RequestedPorts));
            Assert.Equal(("1000:1000", "/tmp", "none", true), (details.User, details.WorkingDirectory, details.NetworkMode, details.Init));
            Assert.Equal(["sleep 600"], details.Command);
            Assert.Null(details.StartedAt);
            Assert.Null(details.FinishedAt);
            var check = details.Healthcheck!;
            Assert.Equal(
                (TimeSpan.FromSeconds(7), TimeSpan.FromMilliseconds(1500), TimeSpan.FromMinutes(10), 4, "true"),
                (check.Interval, check.Timeout, check.StartPeriod, check.Retries, check.Test[1]));
            Assert.True(DateTimeOffset.UtcNow - details.CreatedAt < TimeSpan.FromMinutes(5));
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    [Fact]
    public async Task A_container_runs_and_ends_with_its_exit_code()
    {
        await using var container = await engine.RunAsync("exit 3");

        Assert.Equal(3, await engine.Client.WaitAsync(container.Id, Stop));
        var details = await container.InspectAsync();
        Assert.Equal((ContainerState.Exited, 3, false), (details.State, details.ExitCode, details.OutOfMemoryKilled));

        // A process that ends at once can have ended, for the engine, before it noted the start.
        Assert.NotNull(details.StartedAt);
        Assert.NotNull(details.FinishedAt);
        Assert.Null(await engine.Client.StatsAsync(container.Id, Stop));
    }

    [Fact]
    public async Task A_container_is_paused_killed_started_restarted_and_stopped()
    {
        await using var container = await engine.RunAsync("trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done");
        async Task<ContainerState> StateAsync() => (await container.InspectAsync()).State;

        await engine.Client.PauseAsync(container.Id, Stop);
        Assert.Equal(ContainerState.Paused, await StateAsync());
        await engine.Client.UnpauseAsync(container.Id, Stop);
        Assert.Equal(ContainerState.Running, await StateAsync());
        await engine.Client.StartAsync(container.Id, Stop);

        // The first process of a container does not hear the signal before it has said what is to happen then.
        await container.PrintedAsync("ready");
        await engine.Client.StopAsync(container.Id, TimeSpan.FromMinutes(5), Stop);
        Assert.Equal((ContainerState.Exited, 5), (await StateAsync(), (await container.InspectAsync()).ExitCode));
        await engine.Client.StopAsync(container.Id, stop: Stop);
        await engine.Client.RestartAsync(container.Id, TimeSpan.Zero, Stop);
        Assert.Equal(ContainerState.Running, await StateAsync());
        await engine.Client.KillAsync(container.Id, stop: Stop);
        Assert.Equal(137, await engine.Client.WaitAsync(container.Id, Stop));
        await engine.Client.RemoveContainerAsync(container.Id, stop: Stop);
        Assert.Empty(await engine.Client.ListContainersAsync(names: [container.Name], stop: Stop));
    }

    [Fact]
    public async Task A_container_over_its_memory_limit_is_killed_and_says_so()
    {
        Assert.SkipUnless((await engine.Client.InfoAsync(Stop)).CanLimitMemory, "this engine cannot limit memory");
        await using var container = await engine.RunAsync(
            "sh -c 'x=0123456789012345678901234567890123456789; while :; do x=$x$x; done'; code=$?; until [ -e /tmp/go ]; do usleep 50000; done; exit $code",
            creation => creation with { MemoryLimit = 32 * 1024 * 1024 });

        // Some engines keep the mark only if they hear of the reason before they hear of the end.
        await container.EventAsync(item => item.Action == "oom");
        await engine.Client.WriteFileAsync(container.Id, "/tmp/go", new("go"u8.ToArray()), Stop);
        Assert.Equal(137, await engine.Client.WaitAsync(container.Id, Stop));
        var details = await container.InspectAsync();
        Assert.True(details.OutOfMemoryKilled);
        Assert.Equal(137, details.ExitCode);
    }

    [Fact]
    public async Task Health_goes_from_starting_to_healthy_to_unhealthy()
    {
        await using var container = await engine.RunAsync("sleep 600", creation => creation with
        {
            // While it starts, no failure counts.
            Healthcheck = new()
            {
                Test = ["CMD-SHELL", "echo checked; [ -e /tmp/whole ] && [ ! -e /tmp/broken ] || { echo 'HTTP 401'; exit 1; }"],
                Interval = TimeSpan.FromSeconds(1),
                StartPeriod = TimeSpan.FromHours(1),
                Retries = 2,
            },
        });
        Assert.Equal(ContainerHealthStatus.Starting, (await container.InspectAsync()).Health);

        await engine.Client.WriteFileAsync(container.Id, "/tmp/whole", new(Array.Empty<byte>()), Stop);
        Assert.Equal("healthy", (await container.EventAsync(item => item.Action == "health_status")).Detail);
        Assert.Equal(ContainerHealthStatus.Healthy, (await container.InspectAsync()).Health);

        await engine.Client.WriteFileAsync(container.Id, "/tmp/broken", new(Array.Empty<byte>()), Stop);
        await container.EventAsync(item => item is { Action: "health_status", Detail: "unhealthy" });
        var details = await container.InspectAsync();
        Assert.Equal(ContainerHealthStatus.Unhealthy, details.Health);
        Assert.True(details.HealthFailingStreak >= 2);
        var last = details.HealthLog[^1];
        Assert.Equal((1, "checked\nHTTP 401\n"), (last.ExitCode, last.Output));
        Assert.True(last.EndedAt >= last.StartedAt);
    }

    [Fact]
    public async Task Usage_is_computed_from_two_samples()
    {
        await using var busy = await engine.RunAsync("while :; do :; done");
        await using var idle = await engine.RunAsync("sleep 600");
        var first = (await engine.Client.StatsAsync(busy.Id, Stop), await engine.Client.StatsAsync(idle.Id, Stop));

        // The time between samples is the measurement itself: one second of the machine's clock.
        ContainerStats? second;
        do
            second = await engine.Client.StatsAsync(busy.Id, Stop);
        while (second!.ReadAt - first.Item1!.ReadAt < TimeSpan.FromSeconds(1));

        var usage = ContainerUsage.Between(first.Item1, second);
        var none = ContainerUsage.Between(first.Item2!, (await engine.Client.StatsAsync(idle.Id, Stop))!);

        // How much of a processor it got, and how late the engine looked at its clock, is a matter of what else the machine does.
        Assert.InRange(usage.Cpu!.Value, 0.01, 100 * (Environment.ProcessorCount + 1));
        Assert.True(none.Cpu < usage.Cpu);
        Assert.InRange(usage.MemoryUsed, 1, 50 * 1024 * 1024);
        Assert.True(usage.MemoryLimit > usage.MemoryUsed);
        Assert.InRange(second.ProcessCount, 1, 10);
    }

    [Fact]
    public async Task Top_shows_the_processes_with_their_age_and_needs_no_program_in_the_image()
    {
        await using var container = await engine.RunAsync("sleep 6000 & exec sleep 6001");

        // The shell runs first, and becomes the program in its own time.
        IReadOnlyList<ContainerProcess> processes;
        do
            processes = await engine.Client.TopAsync(container.Id, Stop);
        while (!processes.Any(process => process.Command == "sleep 6001") || !processes.Any(process => process.Command == "sleep 6000"));

        Assert.All(processes, process => Assert.True(process.ProcessId > 0 && process.Elapsed < TimeSpan.FromMinutes(5)));
        await engine.Client.KillAsync(container.Id, stop: Stop);
        var error = await Assert.ThrowsAsync<DockerException>(() => engine.Client.TopAsync(container.Id, Stop));
        Assert.True(error.Code is "DockerConflict" or "DockerRequestFailed", error.Code);
    }

    [Fact]
    public async Task A_command_gives_its_output_its_errors_and_its_exit_code()
    {
        await using var container = await engine.RunAsync("sleep 600");

        var result = await engine.Client.ExecAsync(
            container.Id,
            ["sh", "-c", "echo out; echo $NAME >&2; id -u; cat /proc/self/cwd/nothing; exit 7"],
            new() { User = "1234", WorkingDirectory = "/tmp", Environment = new Dictionary<string, string> { ["NAME"] = "ü" } },
            Stop);

        Assert.Equal((7, "out\n1234\n", false), (result.ExitCode, result.StandardOutput, result.IsTruncated));
        Assert.StartsWith("ü\n", result.StandardError, StringComparison.Ordinal);
        Assert.InRange((await engine.Client.ExecAsync(container.Id, ["/no/such/program"], stop: Stop)).ExitCode, 126, 127);
    }

    [Fact]
    public async Task A_command_that_prints_a_flood_is_cut_and_says_so()
    {
        await using var container = await engine.RunAsync("sleep 600");

        var result = await engine.Client.ExecAsync(container.Id, ["sh", "-c", "yes | head -c 20000000"], stop: Stop);

        Assert.Equal((0, 4 * 1024 * 1024, true), (result.ExitCode, result.StandardOutput.Length, result.IsTruncated));
    }

    [Fact]
    public async Task A_file_is_read_and_written_in_a_running_and_in_a_stopped_container()
    {
        await using var container = await engine.RunAsync("sleep 600");
        var secret = new ContainerFile("$2b$12$hash\nüser\n"u8.ToArray(), UnixFileMode.UserRead | UnixFileMode.UserWrite, 1000, 1001);

        await engine.Client.WriteFileAsync(container.Id, "/tmp/PASSWORD", secret, Stop);
        Assert.Equal("600 1000 1001\n", (await engine.Client.ExecAsync(container.Id, ["stat", "-c", "%a %u %g", "/tmp/PASSWORD"], stop: Stop)).StandardOutput);
        await engine.Client.ExecAsync(container.Id, ["ln", "-s", "PASSWORD", "/tmp/link"], stop: Stop);
        await engine.Client.KillAsync(container.Id, stop: Stop);
        await engine.Client.WaitAsync(container.Id, Stop);

        foreach (var path in new[] { "/tmp/PASSWORD", "/tmp/link" })
        {
            var read = await engine.Client.ReadFileAsync(container.Id, path, stop: Stop);
            Assert.Equal(Encoding.UTF8.GetString(secret.Content.Span), Encoding.UTF8.GetString(read.Content.Span));
            Assert.Equal((secret.Mode, 1000, 1001), (read.Mode, read.UserId, read.GroupId));
        }

        await engine.Client.WriteFileAsync(container.Id, "/tmp/PASSWORD", secret with { Content = "new"u8.ToArray() }, Stop);
        Assert.Equal("new"u8.ToArray(), (await engine.Client.ReadFileAsync(container.Id, "/tmp/PASSWORD", stop: Stop)).Content.ToArray());

        var stat = await engine.Client.HeadArchiveAsync(container.Id, "/tmp/PASSWORD", Stop);
        Assert.Equal(("PASSWORD", 3, secret.Mode, false, null), (stat!.Name, (int)stat.SizeInBytes, stat.Mode, stat.IsDirectory, stat.LinkTarget));
        Assert.Equal("/tmp/PASSWORD", (await engine.Client.HeadArchiveAsync(container.Id, "/tmp/link", Stop))!.LinkTarget);
        Assert.True((await engine.Client.HeadArchiveAsync(container.Id, "/tmp", Stop))!.IsDirectory);
        Assert.Null(await engine.Client.HeadArchiveAsync(container.Id, "/tmp/nothing", Stop));
    }

    [Fact]
    public async Task What_is_no_file_or_too_large_or_nowhere_is_named()
    {
        await using var container = await engine.RunAsync("ln -s loop2 /tmp/loop1; ln -s loop1 /tmp/loop2; head -c 2000000 /dev/zero > /tmp/large; sleep 600", start: true);
        await engine.Client.ExecAsync(container.Id, ["sh", "-c", "until [ \"$(stat -c %s /tmp/large)\" = 2000000 ]; do usleep 10000; done"], stop: Stop);
        async Task<string> ReadAsync(string path) => (await Assert.ThrowsAsync<DockerException>(() => engine.Client.ReadFileAsync(container.Id, path, stop: Stop))).Code;

        Assert.Equal("DockerPathNotFile", await ReadAsync("/tmp"));
        Assert.Equal("DockerNotFound", await ReadAsync("/tmp/nothing"));
        Assert.Equal("DockerFileTooLarge", await ReadAsync("/tmp/large"));
        var loop = await ReadAsync("/tmp/loop1");
        Assert.True(loop is "DockerPathNotFile" or "DockerNotFound" or "DockerRequestFailed", loop);
        var file = new ContainerFile("x"u8.ToArray());
        Assert.Equal("DockerNotFound", (await Assert.ThrowsAsync<DockerException>(() => engine.Client.WriteFileAsync(container.Id, "/no/folder/file", file, Stop))).Code);
        Assert.Equal("DockerNotFound", (await Assert.ThrowsAsync<DockerException>(() => engine.Client.HeadArchiveAsync("nobody", "/tmp", Stop))).Code);
        await Assert.ThrowsAsync<DockerException>(() => engine.Client.WriteFileAsync(container.Id, "/tmp", file, Stop));
        Assert.True((await engine.Client.HeadArchiveAsync(container.Id, "/tmp", Stop))!.IsDirectory);
    }

    [Fact]
    public async Task What_does_not_exist_or_is_taken_has_its_own_code_and_a_remedy()
    {
        await using var container = await engine.RunAsync("sleep 1", start: false);
        var creation = new ContainerCreation { Image = engine.Image, Name = container.Name, Command = ["true"] };
        (string Code, Func<Task> Action)[] cases =
        [
            ("DockerNotFound", () => engine.Client.InspectContainerAsync("nobody", Stop)),
            ("DockerNotFound", () => engine.Client.StartAsync("nobody", Stop)),
            ("DockerNotFound", () => engine.Client.InspectImageAsync("no/such/image:1", Stop)),
            ("DockerNotFound", () => engine.Client.CreateContainerAsync(creation with { Name = null, Image = "no-such-image" }, Stop)),
            ("DockerConflict", () => engine.Client.CreateContainerAsync(creation, Stop)),
            ("DockerConflict", () => engine.Client.ExecAsync(container.Id, ["true"], stop: Stop)),
            ("DockerConflict", () => engine.Client.KillAsync(container.Id, stop: Stop)),
            ("DockerRequestFailed", () => engine.Client.CreateContainerAsync(creation with { Name = "not/a name" }, Stop)),
        ];

        foreach (var (code, action) in cases)
        {
            var error = await Assert.ThrowsAsync<DockerException>(action);
            Assert.Equal(code, error.Code);
            Assert.Contains(engine.Client.Endpoint.Address, error.Message, StringComparison.Ordinal);
            Assert.NotEmpty(error.Remedy);
        }
    }

    [Fact]
    public async Task No_value_of_the_environment_gets_into_an_error()
    {
        var creation = new ContainerCreation { Image = engine.Image, Environment = new Dictionary<string, string> { [""] = "hunter2-secret" } };

        var error = await Assert.ThrowsAsync<DockerException>(() => engine.Client.CreateContainerAsync(creation, Stop));

        Assert.DoesNotContain("hunter2", error.ToString() + error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_come_in_order_and_an_end_in_time_is_no_error()
    {
        var since = (await engine.Client.InfoAsync(Stop)) is not null ? DateTimeOffset.UtcNow.AddSeconds(-1) : default;
        await using var container = await engine.RunAsync("exit 9");
        await engine.Client.WaitAsync(container.Id, Stop);
        await container.EventAsync(item => item.Action == "die");

        List<EngineEvent> events = [];
        await foreach (var item in engine.Client.EventsAsync(new() { Containers = [container.Id], Since = since, Until = DateTimeOffset.UtcNow.AddSeconds(0.5) }, Stop))
            events.Add(item);

        Assert.Equal(["create", "start", "die"], events.Select(item => item.Action));
        Assert.All(events, item => Assert.Equal(("container", container.Id, container.Name), (item.Type, item.Id, item.Name)));
        Assert.Equal("9", events[2].Attributes["exitCode"]);
        Assert.True(events[0].OccurredAt <= events[1].OccurredAt && events[1].OccurredAt <= events[2].OccurredAt);
    }

    [Fact]
    public async Task An_image_is_imported_listed_inspected_and_removed()
    {
        var name = engine.Image.Split(':')[0];
        await engine.Client.ImportImageAsync(await EngineProcess.ArchiveAsync(), name, "other", Stop);

        var listed = (await engine.Client.ListImagesAsync(Stop)).Single(image => image.Tags.Contains(name + ":other"));
        var details = await engine.Client.InspectImageAsync(name + ":other", Stop);
        Assert.Equal(listed.Id, details.Id);
        Assert.True(details.SizeInBytes > 100_000);
        Assert.Null(details.Healthcheck);

        await engine.Client.RemoveImageAsync(name + ":other", Stop);
        Assert.DoesNotContain(await engine.Client.ListImagesAsync(Stop), image => image.Tags.Contains(name + ":other"));
    }

    [Fact]
    public async Task A_pull_from_nowhere_and_an_archive_that_is_none_fail_with_the_reason()
    {
        var pull = await Assert.ThrowsAsync<DockerException>(async () =>
        {
            await foreach (var _ in engine.Client.PullAsync("127.0.0.1:1/no/image", Stop))
            {
            }
        });
        Assert.Equal("DockerPullFailed", pull.Code);

        using var garbage = new MemoryStream(Enumerable.Repeat((byte)'x', 100_000).ToArray());
        var import = await Assert.ThrowsAsync<DockerException>(() => engine.Client.ImportImageAsync(garbage, "comfyauth-garbage", stop: Stop));
        Assert.Equal("DockerRequestFailed", import.Code);
    }

    [Fact]
    public async Task Many_requests_of_two_clients_at_once_all_get_their_own_answer()
    {
        await using var one = await engine.RunAsync("sleep 600");
        await using var two = await engine.RunAsync("sleep 600");
        await using var second = new DockerClient(engine.Client.Endpoint);
        var clock = Stopwatch.StartNew();

        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Stop }, async (number, stop) =>
        {
            var wanted = number % 2 == 0 ? one : two;
            var client = number % 3 == 0 ? second : engine.Client;
            Assert.Equal(wanted.Id, (await client.InspectContainerAsync(wanted.Name, stop)).Id);
        });

        TestContext.Current.TestOutputHelper?.WriteLine($"200 inspections: {clock.ElapsedMilliseconds} ms");
    }
}
