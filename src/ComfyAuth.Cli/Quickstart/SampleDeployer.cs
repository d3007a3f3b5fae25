using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Cli.Quickstart;

/// <summary>Does with an emulated engine what Compose does: makes the container that the compose file describes. No program runs in it.</summary>
internal sealed class SampleDeployer(EmulatedEngine engine, DockerClient client) : IContainerDeployer
{
    /// <summary>The file that the login reads, below the root.</summary>
    public const string PasswordFile = $"{SampleStack.Service}/.secrets/PASSWORD";

    private const string Project = "comfyui-qwen";

    public Task<string> DescribeAsync(CancellationToken stop) => Task.FromResult("docker compose (emulated)");

    public Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        engine.AddImage(Service(stack, service).Image!);
        return Task.CompletedTask;
    }

    public async Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        var described = Service(stack, service);
        var labels = new Dictionary<string, string>
        {
            ["com.docker.compose.project"] = Project,
            ["com.docker.compose.service"] = described.Name,
            ["com.docker.compose.project.working_dir"] = Path.GetDirectoryName(stack.PathOf(service.ComposeFile!))!,
            ["com.docker.compose.project.config_files"] = stack.PathOf(service.ComposeFile!),
        };
        engine.AddNetwork($"{Project}_default", labels);
        foreach (var mount in described.Mounts.Where(mount => mount is { Kind: ComposeMountKind.Volume, Source: not null }))
            engine.AddVolume($"{Project}_{mount.Source}", labels);
        if (!engine.Containers.Any(container => container.Name == service.Container))
            engine.Add(Container(service, described, labels));
        await client.StartAsync(service.Container, stop);
    }

    private static ComposeService Service(GenAIStack stack, ServiceDefinition service) =>
        ComposeFile.Load([stack.PathOf(service.ComposeFile!)], _ => null).Services.First(described => described.ContainerName == service.Container);

    private static EmulatedContainer Container(ServiceDefinition service, ComposeService described, IReadOnlyDictionary<string, string> labels) => new()
    {
        Name = service.Container,
        Image = described.Image!,
        CreatedAt = DateTimeOffset.UtcNow,
        State = ContainerState.Created,
        Network = $"{Project}_default",
        Labels = labels,
        User = described.User ?? "",
        Entrypoint = ["sh", "/setup/entrypoint.sh"],
        Command = described.Command ?? [],
        Environment = [.. described.Environment.Where(variable => variable.HasValue).Select(variable => $"{variable.Name}={variable.Reveal()}")],
        MemoryLimit = described.MemoryLimitInBytes,
        Init = described.Init,
        Ports = [new(8188, "tcp", "127.0.0.1", service.Url.Port)],
        Processes = ["python main.py --listen 0.0.0.0 --port 8188"],
        Mounts =
        [
            .. described.Mounts.Where(mount => mount.Source is not null).Select(mount => mount.Kind == ComposeMountKind.Bind
                ? new ContainerMount("bind", "", mount.Source!, mount.Target, mount.IsReadOnly)
                : new ContainerMount("volume", $"{Project}_{mount.Source}", $"/var/lib/docker/volumes/{Project}_{mount.Source}/_data", mount.Target, mount.IsReadOnly)),
        ],
        Files = Image,
    };

    /// <summary>What the image of the templates holds, as far as anybody looks.</summary>
    private static IReadOnlyDictionary<string, EmulatedFile> Image { get; } = new Dictionary<string, EmulatedFile>
    {
        ["/workspace/ComfyUI/main.py"] = new("pass\n"),
        ["/workspace/ComfyUI/comfyui_version.py"] = new($"__version__ = \"{DeploymentTemplates.ComfyUIVersion}\"\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/__init__.py"] = new("from .password import *\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/password.py"] = new("pass\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/requirements.txt"] = new("aiohttp\naiohttp_session[secure]\nJinja2\nbcrypt\npycryptodome\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/.git/HEAD"] = new(DeploymentTemplates.LoginCommit + "\n"),
        ["/workspace/venv/bin/python"] = new("") { LinkTarget = "/usr/local/bin/python3" },
    };
}
