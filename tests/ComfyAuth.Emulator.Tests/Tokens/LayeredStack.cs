using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

/// <summary>A stack in which everything agrees on all four layers, for a test to break: files, a container that Compose made, and its server.</summary>
internal sealed class LayeredStack : IAsyncDisposable
{
    public const string Container = "comfyui-qwen";
    public const string Password = "/workspace/ComfyUI/login/PASSWORD";
    public const string PasswordLocation = Container + ":" + Password;
    public const string TokenLocation = Container + "#COMFYUI_BEARER_TOKEN";

    private readonly TemporaryFolder _server;

    private LayeredStack(EmulatedComfyUI? comfy, EmulatedEngine engine, SampleStack files, TemporaryFolder server)
    {
        (Comfy, Engine, Files, _server) = (comfy, engine, files, server);
        Client = new(engine.Endpoint);
    }

    /// <summary>When the container started.</summary>
    public static DateTimeOffset Start { get; } = DateTimeOffset.UtcNow.AddMinutes(-10);

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public SampleStack Files { get; }

    public SampleCredential Credential => Files.Credential;

    /// <summary>The credential from before a change.</summary>
    public SampleCredential Older { get; } = new();

    public EmulatedEngine Engine { get; }

    /// <summary>Null where nobody answers.</summary>
    public EmulatedComfyUI? Comfy { get; }

    public DockerClient Client { get; }

    public SecretRedactor Redactor { get; } = new();

    public string Address => Comfy!.Address.GetLeftPart(UriPartial.Authority) + "/system_stats";

    /// <summary>Starts everything.</summary>
    /// <param name="hasLogin">Whether the server has the login.</param>
    /// <param name="isSilent">Whether nobody answers at its address.</param>
    public static async Task<LayeredStack> StartAsync(bool hasLogin = true, bool isSilent = false)
    {
        var files = new SampleStack();
        var server = new TemporaryFolder();
        server.Write("PASSWORD", $"{files.Credential.Text}\nalice\n");
        var comfy = isSilent ? null : await EmulatedComfyUI.StartAsync(new() { PasswordFile = hasLogin ? server.PathOf("PASSWORD") : null }, Stop);
        var port = comfy?.Address.Port ?? 9;
        files.Write("comfyauth.yml", $"services:\n  comfyui-qwen: {{ url: 'http://127.0.0.1:{port}' }}\n");
        files.Write($"{SampleStack.Service}/docker-compose.yml", "services:\n  qwen:\n    image: python:3.11\n    container_name: comfyui-qwen\n    environment:\n      COMFYUI_BEARER_TOKEN: ${COMFYUI_BEARER_TOKEN}\n      COMFYUI_PASSWORD: ${COMFYUI_PASSWORD}\n      COMFYUI_USERNAME: ${COMFYUI_USERNAME}\n");
        var folder = files.PathOf(SampleStack.Service);
        var container = new EmulatedContainer
        {
            Name = Container,
            Image = "python:3.11",
            CreatedAt = Start.AddMinutes(-1),
            StartedAt = Start,
            Environment = [$"COMFYUI_BEARER_TOKEN={files.Credential.Text}", $"COMFYUI_PASSWORD={files.Credential.Password}", "COMFYUI_USERNAME=alice", "PATH=/bin"],
            Ports = [new(8188, "tcp", "127.0.0.1", port)],
            Processes = ["/bin/sh /entrypoint.sh", "python main.py --listen 0.0.0.0"],
            Labels = new Dictionary<string, string>
            {
                ["com.docker.compose.project"] = "comfyui-qwen",
                ["com.docker.compose.service"] = "qwen",
                ["com.docker.compose.project.working_dir"] = folder,
                ["com.docker.compose.project.config_files"] = Path.Combine(folder, "docker-compose.yml"),
            },
            Files = new Dictionary<string, EmulatedFile>
            {
                ["/workspace/ComfyUI/main.py"] = new("pass\n"),
                [Password] = new($"{files.Credential.Text}\nalice\n") { ModifiedAt = Start.AddMinutes(-5) },
            },
        };
        return new(comfy, await EmulatedEngine.StartAsync([container], overTcp: true, stop: Stop), files, server);
    }

    public void Change(Func<EmulatedContainer, EmulatedContainer> change) => Engine.Change(Container, change);

    /// <summary>Puts a file into the container; null takes it away.</summary>
    public void Put(string path, EmulatedFile? file) => Change(now =>
    {
        var files = now.Files.ToDictionary();
        files.Remove(path);
        if (file is not null)
            files.Add(path, file);
        return now with { Files = files };
    });

    /// <summary>Writes PASSWORD in the container, before it started unless said otherwise.</summary>
    public void WritePassword(string content, TimeSpan? afterStart = null) => Put(Password, new(content) { ModifiedAt = Start + (afterStart ?? TimeSpan.FromMinutes(-5)) });

    /// <summary>Sets a variable of the container; null takes it away.</summary>
    public void SetVariable(string name, string? value) => Change(now => now with
    {
        Environment = [.. now.Environment.Where(variable => !variable.StartsWith(name + "=", StringComparison.Ordinal)), .. value is null ? [] : new[] { $"{name}={value}" }],
    });

    /// <summary>Restarts the server with another file; null for none.</summary>
    public void RestartServer(string? password)
    {
        if (password is null)
            File.Delete(_server.PathOf("PASSWORD"));
        else
            _server.Write("PASSWORD", password);
        Comfy!.Restart();
    }

    /// <summary>Restarts the server with a file that it cannot read, so that its login is not loaded.</summary>
    public void BreakServer()
    {
        File.WriteAllBytes(_server.PathOf("PASSWORD"), [0xFF, 0xFE]);
        Comfy!.Restart();
    }

    public LiveTokenAuditor Auditor(DockerClient? client = null) => new(new TokenAuditor(Files.Verifier, Redactor, _ => null), client ?? Client, Redactor);

    public Task<IReadOnlyList<TokenObservation>> AuditAsync() => Auditor().AuditAsync(Files.Stack, null, Stop);

    public async Task<TokenObservation> SeenAsync(string location) => (await AuditAsync()).Single(seen => seen.Location == location);

    public async Task<TokenObservation> SeenAsync(TokenLayer layer) => (await AuditAsync()).Single(seen => seen.Layer == layer);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Engine.DisposeAsync();
        if (Comfy is not null)
            await Comfy.DisposeAsync();
        Files.Dispose();
        _server.Dispose();
    }
}
