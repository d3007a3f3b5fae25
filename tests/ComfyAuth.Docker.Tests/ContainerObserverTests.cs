using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>Looks at services that run in real containers.</summary>
public sealed class ContainerObserverTests(TestEngine engine) : IDisposable
{
    // How late a busy machine may be; whoever waits for what he should not waits longer.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(25);

    private readonly TemporaryFolder _folder = new();
    private readonly List<ServiceDefinition> _services = [];
    private readonly SecretRedactor _redactor = new();

    private GenAIStack Stack => new() { Root = _folder.Path, Definition = new() { Source = "source.json", Services = _services } };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_service_behind_a_login_is_ready_with_our_token_and_looked_at_no_closer()
    {
        var service = Add(login: true);
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await AnswersAsync(service.Definition);

        var snapshot = await ObserveAsync();

        Assert.Equal((true, true, true, 401, 200), (snapshot.Readings.IsLive, snapshot.Readings.IsProtected, snapshot.Readings.IsReady, snapshot.Readings.Status, snapshot.Readings.TokenStatus));
        Assert.Equal((container.Id, ContainerState.Running), (snapshot.Container!.Id, snapshot.Container.State));
        Assert.True(snapshot.Stats!.MemoryUsed > 0);
        Assert.Equal(snapshot.Stats.ReadAt, snapshot.TakenAt);
        Assert.Null(snapshot.Usage);
        Assert.Empty(snapshot.Log);
        Assert.Empty(snapshot.Processes);
        Assert.Empty(snapshot.Events);
        Assert.Empty(snapshot.NotSeen);
        Assert.DoesNotContain(snapshot.Others, other => other.Id == container.Id);
        Assert.Equal((_folder.Path, service.Definition), (snapshot.Stack, snapshot.Service));
    }

    [Fact]
    public async Task A_service_without_its_login_is_ready_and_not_protected()
    {
        var service = Add();
        _services[0] = service.Definition with { Auth = AuthKind.ComfyUILogin };
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await AnswersAsync(service.Definition);

        var readings = (await ObserveAsync()).Readings;

        Assert.Equal((true, false, true, null), (readings.IsLive, readings.IsProtected, readings.IsReady, readings.TokenStatus));
    }

    [Fact]
    public async Task One_that_does_not_answer_is_looked_at_closely()
    {
        var service = Add();
        await using var container = await service.RunAsync(engine, "echo Collecting torch; echo 'Downloading torch (780.5 MB)' >&2; while :; do :; done");
        await container.PrintedAsync("Downloading");
        await engine.Client.ExecAsync(container.Id, ["true"], stop: Stop);

        var snapshot = await ObserveAsync();

        Assert.Equal((false, null, false, "connection refused"), (snapshot.Readings.IsLive, snapshot.Readings.IsProtected, snapshot.Readings.IsReady, snapshot.Readings.Answer));
        Assert.Equal(["Collecting torch", "Downloading torch (780.5 MB)"], snapshot.Log.OrderBy(line => line.Stream).Select(line => line.Text));
        Assert.All(snapshot.Log, line => Assert.NotNull(line.Timestamp));
        Assert.Contains(snapshot.Processes, process => process.Command.Contains("Collecting", StringComparison.Ordinal));
        Assert.Equal(["create", "start"], snapshot.Events.Select(item => item.Action));
        Assert.InRange(snapshot.Usage!.Period, TimeSpan.FromSeconds(0.4), AtOnce);
        Assert.NotNull(snapshot.Usage.Cpu);
        Assert.Equal(snapshot.Stats!.ReadAt, snapshot.TakenAt);
        Assert.Empty(snapshot.NotSeen);
    }

    [Fact]
    public async Task A_container_that_is_not_there_is_absent()
    {
        Add();

        var snapshot = await ObserveAsync();

        Assert.Null(snapshot.Container);
        Assert.Null(snapshot.Stats);
        Assert.False(snapshot.Readings.IsLive);
        Assert.Empty(snapshot.NotSeen);
        Assert.Empty(snapshot.Events);
    }

    [Fact]
    public async Task Of_a_container_that_was_removed_the_end_is_told()
    {
        var service = Add();
        await using (var container = await service.RunAsync(engine, "exit 1"))
            await engine.Client.WaitAsync(container.Id, Stop);
        await using var namesake = await engine.RunAsync("true", creation => creation with { Name = service.Definition.Container + "-2" });

        var snapshot = await ObserveAsync();

        Assert.Null(snapshot.Container);
        Assert.Equal("destroy", snapshot.Events[^1].Action);
        Assert.All(snapshot.Events, item => Assert.Equal(service.Definition.Container, item.Name));
    }

    [Fact]
    public async Task An_ended_container_shows_how_it_ended()
    {
        var service = Add();
        await using var container = await service.RunAsync(engine, "echo bye; exit 3");
        await container.EndAsync();

        var snapshot = await ObserveAsync();

        Assert.Equal((ContainerState.Exited, 3), (snapshot.Container!.State, snapshot.Container.ExitCode));
        Assert.Equal("bye", Assert.Single(snapshot.Log).Text);
        Assert.Equal("3", Assert.Single(snapshot.Events, item => item.Action == "die").Attributes["exitCode"]);
        Assert.Null(snapshot.Stats);
        Assert.Empty(snapshot.Processes);
        Assert.Empty(snapshot.NotSeen);
    }

    [Fact]
    public async Task Who_answers_in_place_of_an_ended_container_does_not_get_the_token()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var service = Add(login: true, ((IPEndPoint)listener.LocalEndpoint).Port);
        await using var container = await service.RunAsync(engine, "exit 3");
        await container.EndAsync();

        var observing = ObserveAsync();
        using var connection = await listener.AcceptTcpClientAsync(Stop);
        var request = new byte[4096];
        var length = await connection.GetStream().ReadAsync(request, Stop);
        await connection.GetStream().WriteAsync("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Stop);

        var readings = (await observing).Readings;
        Assert.Equal((true, true, null), (readings.IsLive, readings.IsProtected, readings.IsReady));
        Assert.DoesNotContain("Authorization", Encoding.ASCII.GetString(request, 0, length), StringComparison.Ordinal);
        Assert.Equal(0, await connection.GetStream().ReadAsync(request, Stop));
    }

    [Fact]
    public async Task A_frozen_container_is_not_waited_for()
    {
        var service = Add(login: true);
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await AnswersAsync(service.Definition);
        await engine.Client.PauseAsync(container.Id, Stop);

        var clock = Stopwatch.StartNew();
        var snapshot = await ObserveAsync();

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
        Assert.Equal((ContainerState.Paused, ServiceReadings.None), (snapshot.Container!.State, snapshot.Readings));
        Assert.NotNull(snapshot.Stats);
        Assert.NotEmpty(snapshot.Processes);
        Assert.Empty(snapshot.NotSeen);
    }

    [Fact]
    public async Task A_directory_in_the_place_of_a_file_is_found()
    {
        var service = Add();
        _services[0] = service.Definition with { TokenLocations = [new() { Path = "secrets/token", Format = TokenFormat.TokenFile }] };
        Directory.CreateDirectory(_folder.PathOf("repository.git")).CreateSubdirectory("objects");
        Directory.CreateDirectory(_folder.PathOf("secrets/token")).CreateSubdirectory("not-empty");
        File.WriteAllText(_folder.PathOf("entrypoint.sh"), "");
        await using var container = await service.RunAsync(engine, "sleep 600", creation => creation with
        {
            Binds =
            [
                _folder.PathOf("missing.token") + ":/run/secrets/api", _folder.PathOf("missing") + ":/app/login/PASSWORD", _folder.PathOf("secrets/token") + ":/run/secrets/token",
                _folder.PathOf("repository.git") + ":/repository.git", _folder.PathOf("entrypoint.sh") + ":/entrypoint.sh", _folder.PathOf("models") + ":/models",
            ],
        });

        var snapshot = await ObserveAsync();

        Assert.Equal(["/app/login/PASSWORD", "/run/secrets/api", "/run/secrets/token"], snapshot.MountedDirectories.Order());
        Assert.Empty(snapshot.MissingMounts);
    }

    [Fact]
    public async Task A_source_that_is_gone_is_found_and_stays_gone()
    {
        var service = Add();
        await using var container = await service.RunAsync(engine, "exit 3", creation => creation with { Binds = [_folder.PathOf("deep/api.token") + ":/run/secrets/api.token", _folder.PathOf("models") + ":/models"] });
        await container.EndAsync();
        Directory.Delete(_folder.PathOf("deep"), recursive: true);

        var snapshot = await ObserveAsync();

        Assert.Equal(["/run/secrets/api.token"], snapshot.MissingMounts);
        Assert.Empty(snapshot.MountedDirectories);
        Assert.False(Directory.Exists(_folder.PathOf("deep")), "the engine made it again");
    }

    [Fact]
    public async Task A_container_of_another_name_is_found_by_the_labels_of_Compose()
    {
        Directory.CreateDirectory(_folder.PathOf("qwen"));
        var service = Add();
        _services[0] = service.Definition with { ComposeFile = "qwen/docker-compose.yml" };
        File.WriteAllText(_folder.PathOf("qwen/docker-compose.yml"), $"services:\n  comfy:\n    image: x\n    container_name: {service.Definition.Container}\n  other:\n    image: x\n");
        Dictionary<string, string> Labels(string name, string folder, string oneOff = "False") => new()
        {
            ["com.docker.compose.service"] = name,
            ["com.docker.compose.project.working_dir"] = _folder.PathOf(folder),
            ["com.docker.compose.oneoff"] = oneOff,
        };

        await using var otherService = await engine.RunAsync("sleep 600", creation => creation with { Labels = Labels("other", "qwen") });
        await using var otherFolder = await engine.RunAsync("sleep 600", creation => creation with { Labels = Labels("comfy", "flux") });
        await using var oneOff = await engine.RunAsync("sleep 600", creation => creation with { Labels = Labels("comfy", "qwen", "True") });
        Assert.Null((await ObserveAsync()).Container);

        await using var old = await engine.RunAsync("sleep 600", creation => creation with { Labels = Labels("comfy", "qwen") });
        Assert.Equal(old.Id, (await ObserveAsync()).Container?.Id);

        // The name of the service in the stack counts as well, and so does a link to the folder.
        File.WriteAllText(_folder.PathOf("qwen/docker-compose.yml"), "services: [");
        Directory.CreateSymbolicLink(_folder.PathOf("link"), _folder.PathOf("qwen"));
        await using var created = await engine.RunAsync("sleep 600", creation => creation with { Labels = Labels(service.Definition.Name, "link/") }, start: false);
        Assert.Equal(created.Id, (await ObserveAsync()).Container?.Id);

        await using var named = await service.RunAsync(engine, "sleep 600");
        Assert.Equal(named.Id, (await ObserveAsync()).Container?.Id);
    }

    [Fact]
    public async Task A_container_that_is_removed_meanwhile_is_absent()
    {
        var service = Add();
        for (var round = 0; round < 20; round++)
        {
            await using var container = await service.RunAsync(engine, "sleep 600", start: false);
            var observing = ObserveAsync();
            await engine.Client.RemoveContainerAsync(container.Id, force: true, Stop);

            var snapshot = await observing;
            Assert.True(snapshot.Container is null || snapshot.Container.Id == container.Id);
            Assert.True(snapshot.Container is not null || snapshot.NotSeen.Count == 0, string.Join('\n', snapshot.NotSeen));
        }
    }

    [Fact]
    public async Task Four_that_are_well_cost_one_list_and_two_requests_each()
    {
        Assert.SkipUnless(engine.Client.Endpoint.Transport == DockerTransport.UnixSocket, "the requests are counted on a socket");
        await using var proxy = new CountingProxy(engine.Client.Endpoint.SocketPath);
        await using var client = new DockerClient(DockerEndpoint.Parse("unix://" + proxy.Path, "the test"));
        List<TestContainer> containers = [];
        try
        {
            for (var number = 0; number < 4; number++)
            {
                var service = Add(login: true);
                containers.Add(await service.RunAsync(engine, TestService.Serve));
                await AnswersAsync(service.Definition);
            }

            var clock = Stopwatch.StartNew();
            List<ContainerSnapshot> snapshots = [];
            await foreach (var snapshot in Observer(client).ObserveAsync(Stack, _services, Stop))
                snapshots.Add(snapshot);

            TestContext.Current.TestOutputHelper?.WriteLine($"four containers in {clock.ElapsedMilliseconds} ms");
            Assert.Equal(_services, snapshots.Select(snapshot => snapshot.Service));
            Assert.All(snapshots, snapshot => Assert.True(snapshot.Readings.IsReady));

            // A ping each half second while a service thinks.
            Assert.Equal("/containers/json 1, /json 4", string.Join(", ", proxy.Requests.Select(What).Where(what => what != "/_ping").CountBy(what => what).OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Key} {count.Value}")));
        }
        finally
        {
            foreach (var container in containers)
                await container.DisposeAsync();
        }

        static string What(string request)
        {
            var path = request.Split(' ')[1].Split('?')[0];
            return path.EndsWith("/containers/json", StringComparison.Ordinal) ? "/containers/json" : path[path.LastIndexOf('/')..];
        }
    }

    [Fact]
    public async Task The_redactor_knows_the_secrets_of_the_environment_and_the_token()
    {
        var service = Add();
        await using var container = await service.RunAsync(
            engine,
            "echo logged in with $API_KEY and $MODE, token is $COMFY",
            creation => creation with { Environment = new Dictionary<string, string> { ["API_KEY"] = "canary-1 of a kind", ["MODE"] = "fp8", ["COMFY"] = TestService.Token[^53..] } });
        await engine.Client.WaitAsync(container.Id, Stop);

        var snapshot = await ObserveAsync();

        Assert.Equal("logged in with [redacted] and fp8, token is [redacted]", _redactor.Redact(Assert.Single(snapshot.Log).Text));
    }

    [Fact]
    public async Task A_log_that_is_kept_nowhere_is_told_as_not_seen()
    {
        var service = Add();
        await using var container = await service.RunAsync(engine, "sleep 600", creation => creation with { LogDriver = "none" });

        var snapshot = await ObserveAsync();

        Assert.Contains("logging driver", Assert.Single(snapshot.NotSeen), StringComparison.Ordinal);
        Assert.NotEmpty(snapshot.Processes);
    }

    [Fact]
    public async Task A_second_look_computes_what_was_used_since_the_first()
    {
        var service = Add(login: true);
        await using var container = await service.RunAsync(engine, TestService.Serve);
        await AnswersAsync(service.Definition);
        var observer = Observer(engine.Client);

        var first = await ObserveAsync();
        var second = await observer.ObserveAgainAsync(first, Stack, Stop);
        Assert.Equal(second.Stats!.ReadAt - first.Stats!.ReadAt, second.Usage!.Period);

        await engine.Client.RestartAsync(container.Id, TimeSpan.Zero, Stop);
        await AnswersAsync(service.Definition);
        var restarted = await observer.ObserveAgainAsync(second, Stack, Stop);
        Assert.Equal((container.Id, null), (restarted.Container!.Id, restarted.Usage));

        await engine.Client.RemoveContainerAsync(container.Id, force: true, Stop);
        Assert.Null((await observer.ObserveAgainAsync(restarted, Stack, Stop)).Container);
        await using var anew = await service.RunAsync(engine, TestService.Serve);
        await AnswersAsync(service.Definition);
        var recreated = await observer.ObserveAgainAsync(restarted, Stack, Stop);
        Assert.Equal((anew.Id, null), (recreated.Container!.Id, recreated.Usage));
    }

    [Fact]
    public async Task A_huge_log_is_kept_in_bounds()
    {
        var service = Add();
        await using var container = await service.RunAsync(engine, "i=0; while [ $i -lt 99 ]; do head -c 100000 /dev/zero | tr '\\0' x; echo; i=$((i+1)); done; echo last");
        await engine.Client.WaitAsync(container.Id, Stop);

        var log = (await ObserveAsync()).Log;

        Assert.Equal("last", log[^1].Text);
        Assert.InRange(log.Sum(line => line.Text.Length), 900_000, 1_100_000);
    }

    [Fact]
    public async Task An_engine_that_is_not_there_is_an_error()
    {
        await using var client = new DockerClient(DockerEndpoint.Parse("unix:///nowhere/engine.sock", "the test"));
        Add();

        await Assert.ThrowsAsync<DockerException>(() => FirstAsync(Observer(client)));
    }

    [Fact]
    public async Task An_engine_that_goes_away_meanwhile_is_an_error()
    {
        var service = Add();
        ScriptedServer? server = null;
        server = new(async (request, connection, stop) =>
        {
            if (request.Contains("/containers/json", StringComparison.Ordinal) || request.Contains("/_ping", StringComparison.Ordinal))
            {
                await connection.WriteAsync(Encoding.ASCII.GetBytes(request.Contains("_ping", StringComparison.Ordinal) ? ScriptedServer.Ping : ListOf(service.Definition)), stop);
                return true;
            }

            File.Delete(server!.Path);
            return false;
        });
        await using var _ = server;
        await using var client = new DockerClient(DockerEndpoint.Parse("unix://" + server.Path, "the test"));

        Assert.Equal("DockerNotRunning", (await Assert.ThrowsAsync<DockerException>(() => FirstAsync(Observer(client)))).Code);
    }

    [Fact]
    public async Task A_container_that_hangs_in_the_engine_is_told_as_far_as_the_list_goes()
    {
        var (hung, absent) = (Add().Definition, Add().Definition);
        await using var server = Hanging(hung);
        await using var client = new DockerClient(DockerEndpoint.Parse("unix://" + server.Path, "the test"));
        var observer = new ContainerObserver(client, _redactor, (_, _) => null) { Patience = TimeSpan.FromSeconds(0.3) };

        List<ContainerSnapshot> snapshots = [];
        await foreach (var snapshot in observer.ObserveAsync(Stack, _services, Stop))
            snapshots.Add(snapshot);

        Assert.Equal((hung.Container, ContainerState.Running), (snapshots[0].Container?.Name, snapshots[0].Container?.State));
        Assert.Equal(["The engine did not give the details within 0.3 s.", "The engine did not give the counters within 0.3 s."], snapshots[0].NotSeen);
        Assert.Null(snapshots[1].Container);
        Assert.Equal(absent, snapshots[1].Service);
    }

    [Fact]
    public async Task Giving_up_ends_it_at_once()
    {
        var hung = Add().Definition;
        await using var server = Hanging(hung);
        await using var client = new DockerClient(DockerEndpoint.Parse("unix://" + server.Path, "the test"));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var observing = FirstAsync(Observer(client), cancel.Token);
        cancel.CancelAfter(TimeSpan.FromSeconds(0.3));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => observing.WaitAsync(AtOnce, Stop));
    }

    [Fact]
    public async Task Who_wants_no_more_does_not_wait_for_the_rest()
    {
        var (absent, hung) = (Add().Definition, Add().Definition);
        await using var server = Hanging(hung);
        await using var client = new DockerClient(DockerEndpoint.Parse("unix://" + server.Path, "the test"));

        var clock = Stopwatch.StartNew();
        Assert.Equal(absent, (await FirstAsync(Observer(client))).Service);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
    }

    private static string ListOf(ServiceDefinition service) => ScriptedServer.Json($$"""[{"Id":"0123456789ab","Names":["/{{service.Container}}"],"State":"running"}]""");

    /// <summary>An engine that knows one container, and says nothing of it.</summary>
    private static ScriptedServer Hanging(ServiceDefinition service) => new(async (request, connection, stop) =>
    {
        if (request.Contains("0123456789ab", StringComparison.Ordinal))
            await Task.Delay(Timeout.Infinite, stop);
        var answer = request.Contains("_ping", StringComparison.Ordinal) ? ScriptedServer.Ping : request.Contains("/events", StringComparison.Ordinal) ? ScriptedServer.Json("") : ListOf(service);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
        return true;
    });

    /// <summary>Waits until somebody listens.</summary>
    private static async Task AnswersAsync(ServiceDefinition service)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await new ServiceProber().ProbeAsync(service, null, deadline.Token)).IsLive != true)
            await pause.WaitForNextTickAsync(deadline.Token);
    }

    private async Task<ContainerSnapshot> FirstAsync(ContainerObserver observer, CancellationToken? stop = null)
    {
        await foreach (var snapshot in observer.ObserveAsync(Stack, _services, stop ?? Stop))
            return snapshot;
        throw new InvalidOperationException("there is no service");
    }

    private TestService Add(bool login = false, int? port = null)
    {
        var service = new TestService(engine, login, port);
        _services.Add(service.Definition);
        return service;
    }

    private ContainerObserver Observer(DockerClient client) => new(client, _redactor, (_, _) => BcryptHash.Parse(TestService.Token))
    {
        Patience = TimeSpan.FromMinutes(1),
        EventPatience = TimeSpan.FromMinutes(1),
        Prober = new() { Timeout = TimeSpan.FromMinutes(1) },
    };

    private Task<ContainerSnapshot> ObserveAsync() => FirstAsync(Observer(engine.Client));
}
