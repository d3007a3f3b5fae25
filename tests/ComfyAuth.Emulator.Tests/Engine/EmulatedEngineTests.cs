using System.Text.Json.Nodes;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;

namespace ComfyAuth.Emulator.Tests.Engine;

public sealed class EmulatedEngineTests : IAsyncLifetime
{
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;
    private EmulatedEngine _engine = null!;
    private DockerClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await EmulatedEngine.StartAsync(Sample.All, overTcp: OperatingSystem.IsWindows(), stop: _stop);
        _client = new(_engine.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _engine.DisposeAsync();
    }

    public static TheoryData<string, string, int, string> Refusals => [.. Table.Rows("Engine/data/refusals.tsv").Select(row => (row[0], row[1], int.Parse(row[2]), row.Length > 3 ? row[3] : ""))];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task It_refuses_what_a_real_engine_refuses_in_the_same_words(string method, string target, int status, string message)
    {
        await using var engine = await EmulatedEngine.StartAsync(Sample.All, overTcp: true, stop: _stop);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new(method), engine.Address + target[1..]);

        using var response = await http.SendAsync(request, _stop);

        var text = await response.Content.ReadAsStringAsync(_stop);
        var id = Sample.All.FirstOrDefault(container => target.Contains($"/{container.Name}/"))?.Id;
        Assert.Equal((status, message.Replace("{id}", id)), ((int)response.StatusCode, text.Length == 0 ? "" : JsonNode.Parse(text)!["message"]!.ToString()));
    }

    [Fact]
    public async Task The_client_speaks_with_it_in_its_version()
    {
        Assert.Equal(new Version(1, 41), await _client.PingAsync(_stop));
        Assert.Equal("1.41", (await _client.VersionAsync(_stop)).ApiVersion);
        Assert.Equal("emulator", (await _client.InfoAsync(_stop)).Name);
    }

    [Fact]
    public async Task A_list_holds_what_was_asked_for()
    {
        Assert.Equal(["up", "ended", "paused"], (await _client.ListContainersAsync(stop: _stop)).Select(container => container.Name));
        Assert.Equal(["up", "paused"], (await _client.ListContainersAsync(all: false, stop: _stop)).Select(container => container.Name));
        Assert.Equal(["up"], (await _client.ListContainersAsync(names: ["up", "u"], stop: _stop)).Select(container => container.Name));
        Assert.Equal(3, (await _client.ListContainersAsync(labels: ["com.docker.compose.project=genai"], stop: _stop)).Count);
        Assert.Empty(await _client.ListContainersAsync(labels: ["com.docker.compose.project=genai", "other"], stop: _stop));
    }

    [Theory]
    [InlineData(0.5, "Up Less than a second")]
    [InlineData(1, "Up 1 second")]
    [InlineData(59, "Up 59 seconds")]
    [InlineData(60, "Up About a minute")]
    [InlineData(900, "Up 15 minutes")]
    [InlineData(3599, "Up 59 minutes")]
    [InlineData(3600, "Up About an hour")]
    [InlineData(7200, "Up 2 hours")]
    [InlineData(86400 * 3, "Up 3 days")]
    [InlineData(86400 * 20, "Up 2 weeks")]
    [InlineData(86400 * 90, "Up 3 months")]
    public async Task The_status_is_in_the_engines_words(double seconds, string status)
    {
        await using var engine = await EmulatedEngine.StartAsync(
            [Sample.Up, Sample.Paused, Sample.Up with { Name = "plain", Health = ContainerHealthStatus.None }], overTcp: true, new FixedClock(Sample.Start.AddSeconds(seconds)), _stop);
        await using var client = new DockerClient(engine.Endpoint);

        var list = await client.ListContainersAsync(stop: _stop);

        Assert.Equal([status, status + " (Paused)", status + " (unhealthy)"], list.Select(container => container.Status).OrderBy(text => text.Length));
    }

    [Fact]
    public async Task An_inspection_gives_back_the_description()
    {
        var seen = await _client.InspectContainerAsync("up", _stop);

        Assert.Equal(Sample.Up.Id, seen.Id);
        Assert.Equal(("up", "python:3.11", ContainerState.Running), (seen.Name, seen.Image, seen.State));
        Assert.Equal((Sample.Up.CreatedAt, Sample.Up.StartedAt, null), (seen.CreatedAt!.Value, seen.StartedAt, seen.FinishedAt));
        Assert.Equal((Sample.Up.Health, 7), (seen.Health, seen.HealthFailingStreak));
        Assert.Equal(Sample.Up.HealthLog, seen.HealthLog);
        Assert.Equivalent(Sample.Up.Healthcheck, seen.Healthcheck);
        Assert.Equal(Sample.Up.Environment, seen.Environment.Select(variable => $"{variable.Name}={variable.Reveal()}"));
        Assert.Equal(Sample.Up.Labels, seen.Labels);
        Assert.Equal(Sample.Up.Mounts, seen.Mounts);
        Assert.Equal(Sample.Up.Ports, seen.Ports);
        Assert.Equal([Sample.Up.Ports[0]], seen.RequestedPorts);
        Assert.Equivalent(Sample.Up.DeviceRequests, seen.DeviceRequests);
        Assert.Equal(("unless-stopped", "json-file", "runc", true, 8L << 30), (seen.RestartPolicy, seen.LogDriver, seen.Runtime, seen.Init, seen.MemoryLimit!.Value));
        Assert.Equal(seen.Id, (await _client.InspectContainerAsync(seen.Id[..12], _stop)).Id);

        var ended = await _client.InspectContainerAsync("ended", _stop);
        Assert.Equal((ContainerState.Exited, 137, Sample.Ended.FinishedAt, 0), (ended.State, ended.ExitCode, ended.FinishedAt, ended.Ports.Count));
    }

    [Theory]
    [InlineData("up")]
    [InlineData("paused")]
    public async Task A_log_is_read_as_it_was_written(string name)
    {
        var all = await ReadAsync(_client.LogsAsync(name, new(), _stop));
        var stamped = await ReadAsync(_client.LogsAsync(name, new() { Timestamps = true, Tail = 1 }, _stop));
        var later = await ReadAsync(_client.LogsAsync(name, new() { Since = Sample.Start.AddSeconds(1) }, _stop));

        Assert.Equal(["one", "two é", "three"], all.Select(line => line.Text));
        Assert.Equal(name == "up", all.Any(line => line.Stream == ContainerLogStream.StandardError));
        Assert.Equal([("three", Sample.Start.AddSeconds(2))], stamped.Select(line => (line.Text, line.Timestamp!.Value)));
        Assert.Equal(["two é", "three"], later.Select(line => line.Text));
    }

    [Fact]
    public async Task A_log_is_followed_to_the_end_of_the_container()
    {
        await using var lines = _client.LogsAsync("up", new() { Follow = true, Tail = 1 }, _stop).GetAsyncEnumerator(_stop);
        Assert.True(await lines.MoveNextAsync());
        Assert.Equal("three", lines.Current.Text);

        _engine.Write("up", "four", ContainerLogStream.StandardError);
        Assert.True(await lines.MoveNextAsync());
        Assert.Equal(("four", ContainerLogStream.StandardError), (lines.Current.Text, lines.Current.Stream));

        await _client.KillAsync("up", stop: _stop);
        Assert.False(await lines.MoveNextAsync());
    }

    [Fact]
    public async Task Counters_grow_with_time()
    {
        async Task<ContainerStats?> AfterAsync(double seconds)
        {
            await using var engine = await EmulatedEngine.StartAsync(Sample.All, overTcp: true, new FixedClock(Sample.Start.AddSeconds(seconds)), _stop);
            await using var client = new DockerClient(engine.Endpoint);
            return await client.StatsAsync("up", _stop);
        }

        var (first, second) = ((await AfterAsync(10))!, (await AfterAsync(20))!);
        var usage = ContainerUsage.Between(first, second);

        Assert.Equal(50, usage.Cpu!.Value, 3);
        Assert.Equal((10_000, 20_000), (first.NetworkReceived, second.NetworkReceived));
        Assert.Equal((100, 200), (first.BlockWritten, second.BlockWritten));
        Assert.Equal((1L << 30, 8L << 30, 2), (first.MemoryUsed, first.MemoryLimit, first.ProcessCount));
        Assert.Null(await _client.StatsAsync("ended", _stop));
    }

    [Fact]
    public async Task Its_processes_have_run_since_the_start()
    {
        await using var engine = await EmulatedEngine.StartAsync(Sample.All, overTcp: true, new FixedClock(Sample.Start + new TimeSpan(1, 2, 3, 4)), _stop);
        await using var client = new DockerClient(engine.Endpoint);

        var processes = await client.TopAsync("up", _stop);

        Assert.Equal(Sample.Up.Processes, processes.Select(process => process.Command));
        Assert.All(processes, process => Assert.Equal(new TimeSpan(1, 2, 3, 4), process.Elapsed));
    }

    [Fact]
    public async Task What_is_done_to_a_container_changes_it_and_is_told()
    {
        var began = DateTimeOffset.UtcNow.AddSeconds(-1);
        await _client.RestartAsync("up", stop: _stop);
        Assert.Equal((ContainerState.Running, ContainerHealthStatus.Starting), await StateAsync("up"));
        await _client.PauseAsync("up", _stop);
        Assert.Equal(ContainerState.Paused, (await StateAsync("up")).State);
        await _client.UnpauseAsync("up", _stop);
        await _client.StopAsync("up", stop: _stop);
        Assert.Equal((ContainerState.Exited, ContainerHealthStatus.Unhealthy), await StateAsync("up"));
        await _client.StopAsync("up", stop: _stop);
        await _client.StartAsync("up", _stop);
        await _client.KillAsync("up", stop: _stop);
        _engine.Change("up", container => container with { OutOfMemoryKilled = true }, "oom");
        await _client.StartAsync("ended", _stop);
        _engine.Remove("ended");

        var events = await ReadAsync(_client.EventsAsync(new() { Since = began, Until = DateTimeOffset.UtcNow.AddMilliseconds(50) }, _stop));

        Assert.Equal(
            ["up kill 15", "up die 143", "up stop ", "up start ", "up restart ", "up pause ", "up unpause ", "up kill 15", "up die 143", "up stop ", "up start ", "up kill 9", "up die 137", "up oom ", "ended start ", "ended destroy "],
            events.Select(item => $"{item.Name} {item.Action} {item.Attributes.GetValueOrDefault("signal", item.Attributes.GetValueOrDefault("exitCode", ""))}"));
        Assert.All(events, item => Assert.Equal("genai", item.Attributes["com.docker.compose.project"]));
    }

    [Fact]
    public async Task What_does_not_end_in_time_is_killed()
    {
        _engine.Change("up", container => container with { StopTime = TimeSpan.FromMinutes(1) });

        await _client.StopAsync("up", TimeSpan.Zero, _stop);

        Assert.Equal(137, (await _client.InspectContainerAsync("up", _stop)).ExitCode);
    }

    [Fact]
    public async Task What_cannot_start_says_why()
    {
        const string why = "driver failed programming external connectivity on endpoint ended: Bind for 0.0.0.0:8188 failed: port is already allocated";
        _engine.Change("ended", container => container with { StartError = why });

        var error = await Assert.ThrowsAsync<DockerException>(() => _client.StartAsync("ended", _stop));

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        var seen = await _client.InspectContainerAsync("ended", _stop);
        Assert.Equal((ContainerState.Exited, 128, why), (seen.State, seen.ExitCode, seen.Error));
    }

    [Fact]
    public async Task Events_come_as_they_happen()
    {
        await using var events = _client.EventsAsync(new() { Containers = ["up"] }, _stop).GetAsyncEnumerator(_stop);
        var first = events.MoveNextAsync();
        while (!first.IsCompleted)
        {
            // Until it listens, what happens is past.
            _engine.Change("paused", container => container, "noise");
            _engine.Change("up", container => container, "health_status: unhealthy");
            await Task.Yield();
        }

        Assert.True(await first);
        Assert.Equal(("up", "health_status", "unhealthy"), (events.Current.Name, events.Current.Action, events.Current.Detail));
    }

    [Fact]
    public async Task Files_are_read_and_written()
    {
        Assert.Equal("hello\n"u8.ToArray(), (await _client.ReadFileAsync("up", "/etc/motd", stop: _stop)).Content.ToArray());
        Assert.Equal("hello\n"u8.ToArray(), (await _client.ReadFileAsync("up", "/etc/link", stop: _stop)).Content.ToArray());
        Assert.Equal("DockerPathNotFile", (await Assert.ThrowsAsync<DockerException>(() => _client.ReadFileAsync("up", "/secret", stop: _stop))).Code);
        Assert.Null(await _client.HeadArchiveAsync("up", "/nowhere", _stop));
        Assert.Equal((true, false), ((await _client.HeadArchiveAsync("up", "/secret", _stop))!.IsDirectory, (await _client.HeadArchiveAsync("up", "/etc/motd", _stop))!.IsDirectory));

        await _client.WriteFileAsync("ended", "/etc/new", new("text"u8.ToArray(), UnixFileMode.UserRead, 7, 8), _stop);

        var written = await _client.ReadFileAsync("ended", "/etc/new", stop: _stop);
        Assert.Equal("text"u8.ToArray(), written.Content.ToArray());
        Assert.Equal((UnixFileMode.UserRead, 7, 8), (written.Mode, written.UserId, written.GroupId));
    }

    [Fact]
    public async Task Nothing_is_left_of_it_while_somebody_still_listens()
    {
        var engine = await EmulatedEngine.StartAsync(Sample.All, OperatingSystem.IsWindows(), stop: _stop);
        await using var client = new DockerClient(engine.Endpoint);
        await using var lines = client.LogsAsync("up", new() { Follow = true, Tail = 0 }, _stop).GetAsyncEnumerator(_stop);
        var waiting = lines.MoveNextAsync();
        var folder = engine.Endpoint.SocketPath.Length > 0 ? Path.GetDirectoryName(engine.Endpoint.SocketPath) : null;
        if (folder is not null && !OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));

        await engine.DisposeAsync();

        await Assert.ThrowsAsync<DockerException>(async () => await waiting);
        Assert.False(Directory.Exists(folder));

        // Whoever disposes of it twice does no harm.
        await engine.DisposeAsync();
    }

    private static async Task<List<T>> ReadAsync<T>(IAsyncEnumerable<T> items)
    {
        List<T> all = [];
        await foreach (var item in items)
            all.Add(item);
        return all;
    }

    private async Task<(ContainerState State, ContainerHealthStatus Health)> StateAsync(string name)
    {
        var seen = await _client.InspectContainerAsync(name, _stop);
        return (seen.State, seen.Health);
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
