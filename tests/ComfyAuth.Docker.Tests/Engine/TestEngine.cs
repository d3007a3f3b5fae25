using ComfyAuth.Docker;
using ComfyAuth.Tests.Docker;

[assembly: AssemblyFixture(typeof(TestEngine))]

namespace ComfyAuth.Tests.Docker;

/// <summary>
/// The engine that the tests talk to: one of our own where we can start it; else the user's, if
/// <c>COMFYAUTH_TEST_DOCKER=1</c> allows it; else the tests are skipped with the reason. A class that makes containers of a fixed name
/// has one of its own, as a fixture of the class.
/// </summary>
public sealed class TestEngine : IAsyncLifetime
{
    private const string BusyBox = "/bin/busybox";
    private static int Number;
    private static int Engines;
    private readonly string _name = $"suite{Interlocked.Increment(ref Engines)}";
    private string? _reason;
    private EngineProcess? _process;
    private DockerClient? _client;

    /// <summary>An image with programs of BusyBox, the server <c>/serve</c> and nothing else.</summary>
    public string Image => $"{Run}:busybox";

    public DockerClient Client
    {
        get
        {
            Assert.SkipWhen(_reason is not null, _reason ?? "");
            return _client!;
        }
    }

    /// <summary>Whether the engine is ours, so that nobody else uses it.</summary>
    public bool IsOurs => _process is not null;

    public string DataFolder => _process!.Root;

    private string Run => $"comfyauth-test-{Environment.ProcessId}-{_name}";

    public async ValueTask InitializeAsync()
    {
        _reason = EngineProcess.WhyNot();
        var allowed = Environment.GetEnvironmentVariable("COMFYAUTH_TEST_DOCKER") == "1";
        if (_reason is not null && !allowed)
            _reason += "; COMFYAUTH_TEST_DOCKER=1 lets the tests use the engine that the Docker CLI uses";
        else if (!File.Exists(BusyBox))
            _reason = $"there is no {BusyBox} to make an image of (package busybox-static)";
        else if (_reason is null)
            await StartOursAsync();
        else
            await UseTheirsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            if (_process is null && _reason is null)
                await _client.RemoveImageAsync(Image, CancellationToken.None);
            await _client.DisposeAsync();
        }

        if (_process is not null)
            await _process.DisposeAsync();
    }

    /// <summary>A container that runs a line of shell; gone at the end of the test.</summary>
    public async Task<TestContainer> RunAsync(string script, Func<ContainerCreation, ContainerCreation>? change = null, bool start = true)
    {
        var stop = TestContext.Current.CancellationToken;
        var creation = new ContainerCreation
        {
            Image = Image,
            Name = $"{Run}-{Interlocked.Increment(ref Number)}",
            Entrypoint = ["/bin/sh", "-c"],
            Command = [script],
            NetworkMode = "none",
        };
        creation = change?.Invoke(creation) ?? creation;
        var container = new TestContainer(Client, await Client.CreateContainerAsync(creation, stop), creation.Name!);
        if (start)
            await Client.StartAsync(container.Id, stop);
        return container;
    }

    private async Task StartOursAsync()
    {
        await EngineProcess.SweepAsync();
        try
        {
            _process = await EngineProcess.StartAsync(_name, CancellationToken.None);
        }
        catch (InvalidOperationException error)
        {
            _reason = error.Message;
            return;
        }

        _client = new(_process.Endpoint);
        await _client.ImportImageAsync(await EngineProcess.ArchiveAsync(), Run, "busybox", CancellationToken.None);
    }

    private async Task UseTheirsAsync()
    {
        _client = new(new DockerEndpointResolver().Resolve());
        await _client.ImportImageAsync(await EngineProcess.ArchiveAsync(), Run, "busybox", CancellationToken.None);
        _reason = null;
    }
}
