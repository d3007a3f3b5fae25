using System.Security.Cryptography;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>
/// A place to install at: an empty folder, an engine without containers, a hub with small stand-ins of the three models, and a ComfyUI
/// that answers while its container runs and reads the PASSWORD that was laid out. All of it is gone when the test is.
/// </summary>
internal sealed class InstallSite : IAsyncDisposable
{
    public const string Service = "comfyui-qwen";
    public const string ServiceFolder = "docker-configurations/services/comfyui-qwen";
    public const string PasswordFile = ServiceFolder + "/.secrets/PASSWORD";
    public const string ModelsFolder = "docker-configurations/shared/models";

    private readonly TemporaryFolder _folder = new();

    private InstallSite(EmulatedEngine engine, EmulatedHub hub)
    {
        (Engine, Hub, Client) = (engine, hub, new(engine.Endpoint));
        Deployer = new(engine, Client);
        HubEndpoint = hub.Address;
        engine.Starting = _ => Serve();
        engine.Ended = _ => EndServer();
    }

    /// <summary>The folder that is installed into; it does not exist at first unless models were asked for.</summary>
    public string Root => _folder.PathOf("stack");

    public EmulatedEngine Engine { get; }

    public DockerClient Client { get; }

    public EmulatedHub Hub { get; }

    public SiteDeployer Deployer { get; }

    /// <summary>Where the hub is looked for.</summary>
    public Uri HubEndpoint { get; set; }

    /// <summary>The server while the container runs.</summary>
    public EmulatedComfyUI? Server { get; private set; }

    /// <summary>How the server is started; port and password file are the site's.</summary>
    public ComfyUIOptions ServerOptions { get; set; } = new() { GpuMemory = null };

    /// <summary>Whether the program in the container answers.</summary>
    public bool IsServing { get; set; } = true;

    /// <summary>The port of the service.</summary>
    public int Port { get; } = FreePort.Next();

    public SecretRedactor Redactor { get; } = new();

    public PasswordVerifier Verifier { get; } = new();

    /// <summary>The stand-ins of the models, as the hub has them.</summary>
    public IReadOnlyList<HostedFile> Models { get; private set; } = [];

    /// <summary>On the processor, on the site's port.</summary>
    public InstallOptions Options => new() { Cpu = true, Port = Port, Timeout = TimeSpan.FromMinutes(3) };

    public GenAIStack Stack => Installer.StackAt(Root);

    /// <summary>What was told of each step, by the last run.</summary>
    public List<StepResult> Results { get; } = [];

    /// <summary>What was told on the way, by the last run.</summary>
    public List<InstallProgress> Progress { get; } = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Makes a site.</summary>
    /// <param name="withModels">Whether a stack file is there that names the stand-ins in place of the models, 200 to 300 KB each.</param>
    /// <param name="hub">How the hub behaves.</param>
    public static async Task<InstallSite> StartAsync(bool withModels = false, HubOptions? hub = null)
    {
        var site = new InstallSite(await EmulatedEngine.StartAsync([], stop: Stop), await EmulatedHub.StartAsync(hub, Stop));
        if (withModels)
            site.LayModels();
        return site;
    }

    public string PathOf(string relative) => Path.GetFullPath(relative, Root);

    public string Write(string relative, string text) => _folder.Write(Path.Combine("stack", relative), text);

    public string Read(string relative) => _folder.Read(Path.Combine("stack", relative));

    /// <summary>The installer; its steps are all, or those that are given.</summary>
    public Installer NewInstaller(Func<InstallStepName, InstallMoment, Task>? atMoment = null, params IReadOnlyList<InstallStep> steps)
    {
        var installer = new Installer(Client, Deployer, Redactor, Verifier) { HubEndpoint = HubEndpoint, AtMoment = atMoment };
        return steps.Count == 0 ? installer : new(Client, Deployer, Redactor, Verifier) { HubEndpoint = HubEndpoint, AtMoment = atMoment, Steps = steps };
    }

    /// <summary>Installs with the steps that are given, or with all.</summary>
    public Task<InstallReport> InstallAsync(InstallOptions? options = null, params IReadOnlyList<InstallStep> steps) => RunAsync(NewInstaller(null, steps), options);

    public async Task<InstallReport> RunAsync(Installer installer, InstallOptions? options = null, Func<PlannedChange, Task<bool>>? approve = null, CancellationToken? stop = null)
    {
        Results.Clear();
        lock (Progress)
            Progress.Clear();
        return await installer.RunAsync(Stack, options ?? Options, approve, Results.Add, new Listener(Progress), stop ?? Stop);
    }

    /// <summary>Each file and folder with its content, permissions and time of change, without our own folder.</summary>
    public IReadOnlyList<string> Snapshot() => !Directory.Exists(Root) ? [] :
    [
        .. Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: Path.GetRelativePath(Root, path).Replace('\\', '/')))
            .Where(entry => entry.Name != ".comfyauth" && !entry.Name.StartsWith(".comfyauth/", StringComparison.Ordinal))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .Select(entry => Directory.Exists(entry.Path)
                ? entry.Name + "/"
                : $"{entry.Name} {(OperatingSystem.IsWindows() ? "" : File.GetUnixFileMode(entry.Path))} {File.GetLastWriteTimeUtc(entry.Path):O} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry.Path)))}"),
    ];

    /// <summary>As <see cref="Snapshot"/>, without the times of change.</summary>
    public IReadOnlyList<string> Contents() => [.. Snapshot().Select(line => line.Split(' ') is [.. var name, _, var content] ? $"{string.Join(' ', name)} {content}" : line)];

    /// <summary>What is in the engine, a line each.</summary>
    public IReadOnlyList<string> EngineSnapshot() =>
    [
        .. Engine.Containers.Select(container => $"container {container.Name} {container.State} {container.StartedAt:O}"),
        .. Engine.Images.Select(name => "image " + name),
        .. Engine.Networks.Select(name => "network " + name),
        .. Engine.Volumes.Select(name => "volume " + name),
    ];

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Engine.DisposeAsync();
        if (Server is not null)
            await Server.DisposeAsync();
        await Hub.DisposeAsync();
        _folder.Dispose();
    }

    private void LayModels()
    {
        Models = StandInModels.Add(Hub, Port, out var description);
        Write(GenAIStack.FileName, description);
    }

    // The engine answers only when the program has been started or ended, so that nobody sees the port in between.
    private void Serve()
    {
        if (IsServing && Server is null)
            Server = Task.Run(() => EmulatedComfyUI.StartAsync(ServerOptions with { Port = Port, PasswordFile = PathOf(PasswordFile) })).GetAwaiter().GetResult();
        else
            Server?.Restart();
    }

    private void EndServer()
    {
        if (Server is { } server)
            Task.Run(async () => await server.DisposeAsync()).GetAwaiter().GetResult();
        Server = null;
    }

    private sealed class Listener(List<InstallProgress> told) : IProgress<InstallProgress>
    {
        public void Report(InstallProgress value)
        {
            lock (told)
                told.Add(value);
        }
    }
}
