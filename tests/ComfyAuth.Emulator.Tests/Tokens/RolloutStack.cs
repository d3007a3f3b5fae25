using System.Security.Cryptography;
using ComfyAuth.Comfy;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

/// <summary>
/// A stack whose services run: each an emulated ComfyUI that reads the stack's PASSWORD file when its container, one of an emulated
/// engine, is started.
/// </summary>
internal sealed class RolloutStack : IAsyncDisposable
{
    private readonly List<EmulatedComfyUI> _servers = [];
    private readonly List<ServiceDefinition> _services = [];

    private RolloutStack(EmulatedEngine engine) => (Engine, Client) = (engine, new(engine.Endpoint));

    public SampleStack Files { get; } = new();

    public EmulatedEngine Engine { get; }

    public DockerClient Client { get; }

    public SecretRedactor Redactor { get; } = new();

    public EmulatedComfyUI Server => _servers[0];

    public GenAIStack Stack => Files.Stack with { Definition = Files.Stack.Definition with { Services = _services } };

    /// <summary>The names of the containers that the engine started, in order.</summary>
    public List<string> Starts { get; } = [];

    /// <summary>What the rollout said that it does.</summary>
    public List<string> Said { get; } = [];

    /// <summary>Hears what the rollout says that it does.</summary>
    public Action<string>? OnSaid { get; set; }

    /// <summary>Whether a program reads its file again, by the name of the container and how often that was started.</summary>
    public Func<string, int, bool> Reloads { get; set; } = (_, _) => true;

    /// <summary>Runs at each start, after the program has read its file.</summary>
    public Action<string>? OnStart { get; set; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<RolloutStack> StartAsync(params string[] containers)
    {
        var live = new RolloutStack(await EmulatedEngine.StartAsync([], stop: Stop));
        foreach (var name in containers.DefaultIfEmpty("comfyui-qwen"))
            await live.AddAsync(name);
        live.Engine.Starting = live.Started;
        return live;
    }

    public Rollout Rollout() => new(Client, Redactor)
    {
        EngineGrace = TimeSpan.FromSeconds(1),
        Wait = new() { Timeout = TimeSpan.FromMinutes(1), StallTimeout = TimeSpan.FromSeconds(20) },
        Progress = new Listener(line =>
        {
            Said.Add(line);
            OnSaid?.Invoke(line);
        }),
    };

    public async Task<RolloutPlan<TokenSyncResult>> PlanAsync(TokenSyncRequest? request = null) =>
        await new TokenSynchronizer(Files.Verifier, Redactor, name => Files.Shell.GetValueOrDefault(name)).Plan(Stack, request ?? new(), Stop).WithRestartAsync(Rollout(), Stop);

    public async Task<RolloutResult<TokenSyncResult>> SynchronizeAsync(TokenSyncRequest? request = null, Func<PlannedChange, Task<bool>>? approve = null, CancellationToken? stop = null) =>
        await (await PlanAsync(request)).ApplyAsync(approve, stop ?? Stop);

    /// <summary>A rotation that goes wrong; everything it says is free of secrets.</summary>
    public async Task<ComfyAuthException> FailAsync(TokenSyncRequest? request = null)
    {
        var error = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => SynchronizeAsync(request ?? new() { Rotate = true }));
        Assert.DoesNotContain("$2", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Files.Credential.Password, error.ToString(), StringComparison.Ordinal);
        return error;
    }

    /// <summary>What stands in the files and when they were changed, without our own folder.</summary>
    public string Snapshot() => string.Join('\n', Files.Snapshot()
        .Where(file => !file.Key.Contains($"{Path.DirectorySeparatorChar}.comfyauth{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{file.Key} {file.Value.Changed:O} {Convert.ToHexString(SHA256.HashData(Convert.FromBase64String(file.Value.Bytes)))}"));

    /// <summary>Whether a service takes a token now; null where it is not behind a login.</summary>
    public async Task<bool> TakesAsync(BcryptHash token, int service = 0) =>
        (await new ServiceProber().ProbeAsync(_services[service] with { HealthPath = "/system_stats" }, token, Stop)).IsReady == true;

    public BcryptHash TokenOnDisk() => BcryptHash.Parse(Files.Read(SampleStack.RootToken));

    public EmulatedContainer Container(string name = "comfyui-qwen") => Engine.Containers.Single(container => container.Name == name);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Engine.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        Files.Dispose();
    }

    private async Task AddAsync(string name)
    {
        var server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = Files.PathOf(SampleStack.PasswordFile) }, Stop);
        _servers.Add(server);
        Engine.Add(new()
        {
            Name = name,
            Image = "python:3.11",
            CreatedAt = DateTimeOffset.UtcNow.AddMinutes(-10),
            StartedAt = DateTimeOffset.UtcNow.AddMinutes(-10),
            Ports = [new(8188, "tcp", "127.0.0.1", server.Address.Port)],
        });
        _services.Add(Files.Stack.Definition.Services[0] with { Name = name, Container = name, Url = server.Address, ComposeFile = null });
    }

    private void Started(EmulatedContainer container)
    {
        Starts.Add(container.Name);
        if (Reloads(container.Name, Starts.Count(name => name == container.Name)))
            _servers[_services.FindIndex(service => service.Container == container.Name)].Restart();
        OnStart?.Invoke(container.Name);
    }

    private sealed class Listener(Action<string> tell) : IProgress<string>
    {
        public void Report(string value)
        {
            lock (this)
                tell(value);
        }
    }
}
