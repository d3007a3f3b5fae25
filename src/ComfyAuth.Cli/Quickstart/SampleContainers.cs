using ComfyAuth.Docker;
using ComfyAuth.DotEnv;
using ComfyAuth.Emulator;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Services;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Quickstart;

/// <summary>
/// The four containers of the original as its operators saw them: three that are well, and comfyui-qwen, "Up 15 minutes
/// (unhealthy)". The engine and the services are emulated, on ports that the system chooses.
/// </summary>
internal sealed class SampleContainers : IAsyncDisposable
{
    private const int ComfyPort = 8188;
    private const string PasswordInContainer = "/workspace/ComfyUI/login/PASSWORD";

    private readonly List<EmulatedServer> _servers = [];
    private readonly List<EmulatedContainer> _containers = [];
    private readonly bool _isMended;
    private readonly DateTimeOffset _started;
    private EmulatedEngine? _engine;

    private SampleContainers(GenAIStack stack, bool isMended)
    {
        Stack = stack;
        _isMended = isMended;
        _started = isMended ? DateTimeOffset.UtcNow : DateTimeOffset.UtcNow - TimeSpan.FromMinutes(15);
    }

    /// <summary>Where the emulated engine listens.</summary>
    public DockerEndpoint Engine => _engine!.Endpoint;

    /// <summary>The stack, its services where they are emulated.</summary>
    public GenAIStack Stack { get; private set; }

    /// <summary>Starts them, and writes the port that comfyui-qwen got into its compose file.</summary>
    /// <param name="stack">A stack of the original's layout.</param>
    /// <param name="isMended">Whether comfyui-qwen was made anew from mended files.</param>
    /// <param name="redactor">Learns the token that comfyui-qwen has in its environment and in its log, as the original had.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<SampleContainers> StartAsync(GenAIStack stack, bool isMended, SecretRedactor redactor, CancellationToken stop)
    {
        var sample = new SampleContainers(stack, isMended);
        try
        {
            foreach (var service in stack.Definition.Services)
                await sample.StartAsync(service, redactor, stop);
            await SampleContent.WritePortAsync(stack.Root, sample.Stack.Definition.Services.First(service => service.Auth == AuthKind.ComfyUILogin).Url.Port, stop);
            sample._servers.Add(sample._engine = await EmulatedEngine.StartAsync(sample._containers, overTcp: OperatingSystem.IsWindows(), stop: stop));
            return sample;
        }
        catch
        {
            await sample.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes the ports and the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private async Task StartAsync(ServiceDefinition service, SecretRedactor redactor, CancellationToken stop)
    {
        var isComfy = service.HealthPath == "/system_stats";
        var passwordFile = Stack.PathOf($"{SampleStack.Service}/.secrets/PASSWORD");
        EmulatedServer server = isComfy
            ? await EmulatedComfyUI.StartAsync(new() { PasswordFile = service.Auth == AuthKind.ComfyUILogin ? passwordFile : null }, stop)
            : await EmulatedHealthService.StartAsync(stop);
        _servers.Add(server);

        var here = service with { Url = server.Address };
        Stack = Stack with { Definition = Stack.Definition with { Services = [.. Stack.Definition.Services.Select(other => other.Name == service.Name ? here : other)] } };
        var token = BearerToken.Of(Stack, service, redactor)?.Reveal();
        var container = new EmulatedContainer
        {
            Name = service.Container,
            Image = isComfy ? "python:3.11" : $"{service.Container}:latest",
            CreatedAt = _started - TimeSpan.FromSeconds(1),
            StartedAt = _started,
            Ports = [new(isComfy ? ComfyPort : 8000, "tcp", "127.0.0.1", server.Address.Port)],
            Processes = [isComfy ? $"python main.py --listen 0.0.0.0 --port {ComfyPort}" : "uvicorn app:app --host 0.0.0.0 --port 8000"],
            User = "1000:1000",
            Init = true,
            MemoryLimit = isComfy ? 48L << 30 : 4L << 30,
            DeviceRequests = isComfy ? [new("nvidia", -1, [], ["gpu"])] : [],
            Load = isComfy ? new() { Cpus = 0.04, Memory = 3L << 30 } : new() { Memory = 180L << 20 },
        };
        _containers.Add(
            token is not null ? BehindLogin(_isMended ? Healthy(container, SampleContent.Healthcheck) : Unhealthy(container), passwordFile, token)
            : Healthy(container, new() { Test = ["CMD-SHELL", isComfy ? $"curl -f http://localhost:{ComfyPort}/system_stats" : "curl -f http://localhost:8000/health"] }));
    }

    private EmulatedContainer Healthy(EmulatedContainer container, ContainerHealthcheck healthcheck) => container with
    {
        Health = ContainerHealthStatus.Healthy,
        Healthcheck = healthcheck,
        HealthLog = Probes(5, 0, ""),
    };

    /// <summary>Its healthcheck, as the original wrote it, asks a page behind the login.</summary>
    private EmulatedContainer Unhealthy(EmulatedContainer container)
    {
        var healthcheck = SampleContent.FaultyHealthcheck;
        return container with
        {
            Health = ContainerHealthStatus.Unhealthy,
            HealthFailingStreak = (int)((DateTimeOffset.UtcNow - _started - healthcheck.StartPeriod) / healthcheck.Interval),
            Healthcheck = healthcheck,
            HealthLog = Probes(5, 22, "curl: (22) The requested URL returned error: 401\n"),
        };
    }

    /// <summary>It has what Compose makes of the .env file in its environment, and the PASSWORD file of the stack where the login reads it.</summary>
    private EmulatedContainer BehindLogin(EmulatedContainer container, string passwordFile, string token) => container with
    {
        Environment = EnvironmentOf(DotEnvDocument.Parse(File.ReadAllBytes(Stack.PathOf($"{SampleStack.Service}/.env")))),
        Mounts = [new("bind", "", passwordFile, PasswordInContainer, true)],
        Files = new Dictionary<string, EmulatedFile> { [PasswordInContainer] = new(File.ReadAllBytes(passwordFile)) { ModifiedAt = File.GetLastWriteTimeUtc(passwordFile) } },
        Log =
        [
            new(ContainerLogStream.StandardError, _started, $"For direct API calls, use token={token}"),
            new(ContainerLogStream.StandardError, _started, $"To see the GUI go to: http://0.0.0.0:{ComfyPort}"),
        ],
    };

    private static string[] EnvironmentOf(DotEnvDocument file) =>
        [.. file.Entries.Select(entry => $"{entry.Name}={file.Read(entry.Name, DotEnvConsumer.ComposeV2, _ => null)?.Value}")];

    private ContainerHealthProbe[] Probes(int count, int exitCode, string output)
    {
        var last = _isMended ? _started : _started.AddMinutes(15);
        return [.. Enumerable.Range(1, count).Select(index => last.AddSeconds(-30 * (count + 1 - index))).Select(at => new ContainerHealthProbe(at, at.AddMilliseconds(60), exitCode, output))];
    }
}
