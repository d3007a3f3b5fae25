using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>A stack with one service and a compose file for it; it and its containers are gone when the test is.</summary>
public sealed class ComposeStack : IAsyncDisposable
{
    private const string RichSettings = """
        {
            "Env": ["FROM_IMAGE=1", "OVERRIDDEN=by the image"],
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": ["sleep 600"],
            "Healthcheck": { "Test": ["CMD-SHELL", "true"], "Interval": 7000000000, "Retries": 2 },
            "Volumes": { "/of/the/image": {} }
        }
        """;

    private static int Number;
    private readonly TestEngine _engine;

    public ComposeStack(TestEngine engine, SecretRedactor? redactor = null, string? composeSearchPath = null)
    {
        _engine = engine;
        Name = $"comfyauth-stack-{Environment.ProcessId}-{Interlocked.Increment(ref Number)}";
        Folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), Name)).FullName;
        Redactor = redactor ?? new();
        Lifecycle = new(engine.Client, Redactor) { ComposeSearchPath = composeSearchPath, LastLook = TimeSpan.FromMinutes(1), LockTimeout = TimeSpan.FromMinutes(5) };
        Service = new() { Name = "comfyui", Container = Name, Url = new("http://localhost:8188"), ComposeFile = "docker-compose.yml" };
    }

    public string Name { get; }

    public string Folder { get; }

    public SecretRedactor Redactor { get; }

    public ContainerLifecycle Lifecycle { get; }

    public ServiceDefinition Service { get; set; }

    public GenAIStack Stack => new() { Root = Folder, Definition = new() { Source = ".secrets/token.conf", Services = [Service] } };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static bool HasCompose { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "docker-compose")));

    /// <summary>An image with an environment, an entry point, a command, a healthcheck and a volume of its own.</summary>
    public static string RichImage(TestEngine engine) => engine.Image.Replace(":busybox", ":rich", StringComparison.Ordinal);

    public void Write(string file, string text) =>
        File.WriteAllText(Path.Combine(Folder, file), text.Replace("@IMAGE@", _engine.Image, StringComparison.Ordinal).Replace("@RICH@", RichImage(_engine), StringComparison.Ordinal).Replace("@CONTAINER@", Name, StringComparison.Ordinal));

    /// <summary>A compose file whose service has these lines beside image, name and network.</summary>
    public void WriteCompose(string lines) => Write("docker-compose.yml", $"""
        services:
          comfyui:
            image: @IMAGE@
            container_name: @CONTAINER@
            network_mode: none
            {lines.ReplaceLineEndings("\n    ")}

        """);

    public void Edit(string file, string old, string with)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        old = old.Replace("@IMAGE@", _engine.Image, StringComparison.Ordinal).Replace("@CONTAINER@", Name, StringComparison.Ordinal);
        // The name of the stack has numbers that differ from run to run: what is replaced must be one place and no other.
        Assert.Equal(2, text.Split(old).Length);
        Write(file, text.Replace(old, with, StringComparison.Ordinal));
    }

    public Task UpAsync(params string[] options) => ComposeAsync(["up", .. options, "comfyui"]);

    public async Task ComposeAsync(params string[] arguments)
    {
        Assert.SkipUnless(HasCompose, "docker-compose is not installed");
        var start = new ProcessStartInfo("docker-compose", arguments) { WorkingDirectory = Folder, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOCKER_HOST"] = _engine.Client.Endpoint.Address;
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardError.ReadToEndAsync(Stop), process.StandardOutput.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, string.Concat(said));
    }

    public async Task<ContainerDetails?> InspectAsync()
    {
        try
        {
            return await _engine.Client.InspectContainerAsync(Name, Stop);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            return null;
        }
    }

    public async Task<ContainerChange> StartAsync() => await (await Lifecycle.PlanStartAsync(Stack, Service, Stop)).ApplyAsync(stop: Stop);

    public async Task<ContainerChange> StopAsync(TimeSpan? grace = null) => await (await Lifecycle.PlanStopAsync(Stack, Service, grace, Stop)).ApplyAsync(stop: Stop);

    public async Task<ContainerChange> RestartAsync() => await (await Lifecycle.PlanRestartAsync(Stack, Service, TimeSpan.Zero, Stop)).ApplyAsync(stop: Stop);

    public Task<ContainerChangePlan> PlanRestartAsync() => Lifecycle.PlanRestartAsync(Stack, Service, TimeSpan.Zero, Stop);

    /// <summary>Makes <see cref="RichImage"/>; the client makes images of archives only, which have no settings.</summary>
    public static async Task MakeRichImageAsync(TestEngine engine)
    {
        await using var container = await engine.RunAsync("true", start: false);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(engine.Client.Endpoint.SocketPath), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var http = new HttpClient(handler) { BaseAddress = new("http://docker/") };
        using var settings = new StringContent(RichSettings, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"commit?container={container.Id}&repo={RichImage(engine).Split(':')[0]}&tag=rich", settings, Stop);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var container in await _engine.Client.ListContainersAsync(labels: [$"com.docker.compose.project={Name}"]))
            await _engine.Client.RemoveContainerAsync(container.Id, force: true, CancellationToken.None);
        if (await InspectAsync() is { } left)
            await _engine.Client.RemoveContainerAsync(left.Id, force: true, CancellationToken.None);
        Directory.Delete(Folder, recursive: true);
    }
}
