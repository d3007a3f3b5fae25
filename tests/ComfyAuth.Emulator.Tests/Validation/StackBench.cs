using System.Globalization;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

/// <summary>A stack in which everything is as it should be: files, an engine with its container, and the ComfyUI in it; for a test to break.</summary>
internal sealed class StackBench : IAsyncDisposable
{
    public const string Service = "comfyui-qwen";
    public const string Compose = $"{SampleStack.Service}/docker-compose.yml";

    private readonly DockerClient _client;
    private ClosedPort? _silent;

    private StackBench(SampleStack files, EmulatedEngine engine, EmulatedComfyUI comfy)
    {
        Files = files;
        Engine = engine;
        Comfy = comfy;
        _client = new(engine.Endpoint);
    }

    public SampleStack Files { get; }

    public EmulatedEngine Engine { get; }

    public EmulatedComfyUI Comfy { get; }

    public SecretRedactor Redactor { get; } = new();

    public GenAIStack Stack => Files.Stack;

    /// <summary>What the shell knows that Compose would be started in.</summary>
    public Dictionary<string, string> Shell { get; } = [];

    /// <summary>Starts everything.</summary>
    /// <param name="change">Makes another container.</param>
    /// <param name="options">Makes another ComfyUI.</param>
    public static async Task<StackBench> StartAsync(Func<EmulatedContainer, EmulatedContainer>? change = null, Func<ComfyUIOptions, ComfyUIOptions>? options = null)
    {
        var stop = TestContext.Current.CancellationToken;
        var files = new SampleStack();
        var comfy = await EmulatedComfyUI.StartAsync((options ?? (same => same))(new() { PasswordFile = files.PathOf(SampleStack.PasswordFile) }), stop);
        var container = ContainerAt(comfy.Address.Port);
        var engine = await EmulatedEngine.StartAsync([(change ?? (same => same))(container)], overTcp: true, stop: stop);
        var bench = new StackBench(files, engine, comfy);
        bench.Describe();
        files.Write(Compose, ComposeText(comfy.Address.Port));
        return bench;
    }

    /// <summary>Writes the stack file: one service, at the address of the ComfyUI that was started.</summary>
    public void Describe(string more = "") => Files.Write("comfyauth.yml", string.Create(CultureInfo.InvariantCulture, $$"""
        services:
          flux-1-dev: { remove: true }
          sd35: { remove: true }
          orchestrator: { remove: true }
          comfyui-qwen:
            url: http://127.0.0.1:{{Comfy.Address.Port}}
        """) + $"\n{more}");

    /// <summary>Ends the ComfyUI: whoever asks at its port is refused.</summary>
    public async Task SilenceAsync()
    {
        var port = Comfy.Address.Port;
        await Comfy.DisposeAsync();
        _silent = new(port);
    }

    /// <summary>Runs one check of the stack or of its service.</summary>
    public async Task<CheckResult> CheckAsync(string id, bool deep = false) =>
        Assert.Single(await RunAsync(new() { Ids = [id], Deep = deep, Shell = name => Shell.GetValueOrDefault(name) }));

    /// <summary>Runs checks.</summary>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(ValidationOptions options, IReadOnlyList<Check>? checks = null)
    {
        var stop = TestContext.Current.CancellationToken;
        List<CheckResult> results = [];
        var validator = new StackValidator(Redactor, Files.Verifier, () => _client);
        await foreach (var result in checks is null ? validator.RunAsync(Stack, options, stop) : validator.RunAsync(Stack, options, checks, stop))
            results.Add(result);
        AssertNoSecret(results);
        return results;
    }

    /// <summary>Mends what a check of the service or of the stack found, and gives what was asked for.</summary>
    public async Task<IReadOnlyList<string>> FixAsync(string id, bool agrees = true)
    {
        var stop = TestContext.Current.CancellationToken;
        var check = CheckCatalogue.All.Single(check => check.Id == id);
        await using var context = new CheckContext(Stack, Stack.Definition.Services, new() { Shell = name => Shell.GetValueOrDefault(name) }, Redactor, Files.Verifier, () => _client, stop);
        var fix = await check.PlanFix!(context, check.IsOfService ? Stack.Definition.Services[0] : null, stop);
        List<string> asked = [];
        await fix.ApplyAsync(
            change =>
            {
                asked.Add(change.Target);
                return Task.FromResult(agrees);
            },
            stop);
        return asked;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Engine.DisposeAsync();
        await Comfy.DisposeAsync();
        _silent?.Dispose();
        Files.Dispose();
    }

    private void AssertNoSecret(IEnumerable<CheckResult> results)
    {
        foreach (var text in results.SelectMany(result => result.Evidence.Concat(result.Guidance).Append(result.Message).Append(result.Remedy)))
        {
            Assert.DoesNotContain(Files.Credential.Text, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Files.Credential.Password, text, StringComparison.Ordinal);
        }
    }

    private static EmulatedContainer ContainerAt(int port)
    {
        var start = DateTimeOffset.UtcNow.AddHours(-2);
        return new()
        {
            Name = Service,
            Image = "python:3.11",
            CreatedAt = start.AddSeconds(-1),
            StartedAt = start,
            User = "1000:1000",
            Init = true,
            MemoryLimit = 48L << 30,
            Health = ContainerHealthStatus.Healthy,
            Healthcheck = new() { Test = ["CMD-SHELL", "curl -f http://localhost:8188/login"], Interval = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromSeconds(10), StartPeriod = TimeSpan.FromMinutes(15), Retries = 5 },
            HealthLog = [new(start, start.AddSeconds(1), 0, "ok\n")],
            Command = ["python", "main.py", "--listen", "0.0.0.0"],
            Labels = new Dictionary<string, string>(),
            Ports = [new(8188, "tcp", "127.0.0.1", port)],
            DeviceRequests = [new("nvidia", -1, [], ["gpu"])],
            Processes = ["python main.py --listen 0.0.0.0"],
            Log = [new(ContainerLogStream.StandardOutput, start, "To see the GUI go to: http://0.0.0.0:8188")],
        };
    }

    private static string ComposeText(int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        services:
          comfyui:
            image: python:3.11
            container_name: comfyui-qwen
            restart: unless-stopped
            init: true
            user: "1000:1000"
            command: [python, main.py, --listen, 0.0.0.0]
            mem_limit: 48g
            ports: ["127.0.0.1:{{port}}:8188"]
            healthcheck:
              test: curl -f http://localhost:8188/login
              interval: 30s
              timeout: 10s
              start_period: 15m
              retries: 5
            logging: { driver: json-file, options: { max-size: 10m, max-file: "3" } }
            deploy:
              resources:
                reservations:
                  devices: [{ driver: nvidia, count: all, capabilities: [gpu] }]

        """);
}
