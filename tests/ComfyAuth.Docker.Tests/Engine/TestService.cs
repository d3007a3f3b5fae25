using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>A service on the host's network, and the container that plays it.</summary>
public sealed class TestService
{
    /// <summary>What the services with a login accept.</summary>
    public const string Token = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";

    /// <summary>A line of shell that answers on $PORT for ever: 200, or 401 without $TOKEN where there is one.</summary>
    public const string Serve = """exec /serve "$PORT" """;

    private static int Number;
    private readonly bool _login;
    private readonly SecretRedactor _redactor = new();

    /// <summary>A service; its container is not made yet.</summary>
    /// <param name="engine">The engine whose container names are free for it.</param>
    /// <param name="login">Whether it asks for <see cref="Token"/>.</param>
    /// <param name="port">Its port; null: a free one.</param>
    public TestService(TestEngine engine, bool login = false, int? port = null)
    {
        (_login, Port) = (login, port ?? FreePort.Next());
        Definition = new()
        {
            Name = "service",
            Container = $"{engine.Image.Split(':')[0]}-service-{Interlocked.Increment(ref Number)}",
            Url = new($"http://127.0.0.1:{Port}"),
            Auth = login ? AuthKind.ComfyUILogin : AuthKind.None,
        };
    }

    public int Port { get; }

    public ServiceDefinition Definition { get; }

    /// <summary>The token that we know; null for none.</summary>
    public BcryptHash? KnownToken { get; set; } = BcryptHash.Parse(Token);

    private GenAIStack Stack => new() { Root = Path.GetTempPath(), Definition = new() { Source = "source.conf", Services = [Definition] } };

    /// <summary>A healthcheck that runs each second.</summary>
    public static ContainerHealthcheck Check(string command) => new() { Test = ["CMD-SHELL", command], Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromMinutes(1), Retries = 2 };

    /// <summary>The container that plays the service.</summary>
    public ContainerCreation Creation(string image, string script) => new()
    {
        Image = image,
        Name = Definition.Container,
        Entrypoint = ["/bin/sh", "-c"],
        Command = [script],
        NetworkMode = "host",
        Environment = new Dictionary<string, string> { ["PORT"] = $"{Port}", ["TOKEN"] = _login ? Token : "" },
    };

    /// <summary>Makes the container that plays the service, and starts it.</summary>
    public Task<TestContainer> RunAsync(TestEngine engine, string script, Func<ContainerCreation, ContainerCreation>? change = null, bool start = true) =>
        engine.RunAsync(script, _ => (change ?? (creation => creation))(Creation(engine.Image, script)), start);

    /// <summary>Looks until it is seen what is waited for.</summary>
    public async Task<ContainerDiagnosis> UntilAsync(DockerClient client, Func<ContainerDiagnosis, bool> wanted, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        var observer = Observer(client);
        ContainerSnapshot? snapshot = null;
        ContainerDiagnosis? diagnosis = null;
        try
        {
            do
            {
                snapshot = snapshot is null ? await FirstAsync() : await observer.ObserveAgainAsync(snapshot, Stack, deadline.Token);
                diagnosis = ContainerDiagnostician.Diagnose(snapshot, _redactor);
                if (wanted(diagnosis))
                    return diagnosis;
            }
            while (await pause.WaitForNextTickAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Told below.
        }

        throw new InvalidOperationException($"Seen last: {diagnosis?.Condition}: {diagnosis?.Message} {string.Join(" | ", diagnosis?.Evidence ?? [])}");

        async Task<ContainerSnapshot> FirstAsync()
        {
            await foreach (var first in observer.ObserveAsync(Stack, [Definition], deadline.Token))
                return first;
            throw new InvalidOperationException("unreachable");
        }
    }

    /// <summary>Waits for it.</summary>
    public async Task<ContainerWaitResult> WaitAsync(
        DockerClient client,
        ContainerWaitOptions options,
        CancellationToken stop,
        IProgress<ContainerDiagnosis>? progress = null,
        TimeSpan? engineGrace = null,
        TimeSpan? recreationGrace = null,
        TimeSpan? pause = null)
    {
        var waiter = new ContainerWaiter(client, Observer(client), _redactor)
        {
            EngineGrace = engineGrace ?? TimeSpan.FromMinutes(1),
            RecreationGrace = recreationGrace ?? TimeSpan.FromSeconds(5),
            PauseBetweenLooks = pause,
        };
        List<ContainerWaitResult> results = [];
        await foreach (var result in waiter.WaitAsync(Stack, [Definition], options, progress, stop))
            results.Add(result);
        return Assert.Single(results);
    }

    /// <summary>Waits for several at once.</summary>
    public static IAsyncEnumerable<ContainerWaitResult> WaitForAllAsync(
        DockerClient client, IReadOnlyList<TestService> services, ContainerWaitOptions options, IProgress<ContainerDiagnosis>? progress, CancellationToken stop) =>
        new ContainerWaiter(client, services[0].Observer(client), services[0]._redactor).WaitAsync(services[0].Stack, [.. services.Select(service => service.Definition)], options, progress, stop);

    /// <summary>One that is as patient as a busy machine needs it.</summary>
    private ContainerObserver Observer(DockerClient client) => new(client, _redactor, (_, _) => KnownToken)
    {
        Patience = TimeSpan.FromMinutes(1),
        EventPatience = TimeSpan.FromMinutes(1),
        Prober = new() { Timeout = TimeSpan.FromSeconds(30) },
    };
}
