using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Engine;

/// <summary>
/// Does with an emulated engine what Compose does: makes the container that the compose file describes. No program runs in it; it holds
/// what the image of the templates holds, as far as anybody looks.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="client">A client of it.</param>
public sealed class EmulatedCompose(EmulatedEngine engine, DockerClient client) : IContainerDeployer
{
    /// <summary>The name of the compose project.</summary>
    public const string Project = "comfyui-qwen";

    /// <summary>Changes the container that it makes.</summary>
    public Func<EmulatedContainer, EmulatedContainer> Container { get; set; } = container => container;

    /// <inheritdoc/>
    public Task<string> DescribeAsync(CancellationToken stop) => Task.FromResult("docker compose (emulated)");

    /// <inheritdoc/>
    public Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
        progress?.Report(new() { Line = "[2/4] RUN sh /setup/install.sh venv torch" });
        engine.AddImage(Service(stack, service).Image!);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
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
            engine.Add(Container(Describe(service, described, labels)));
        await client.StartAsync(service.Container, stop);
    }

    private static ComposeService Service(GenAIStack stack, ServiceDefinition service) =>
        ComposeFile.Load([stack.PathOf(service.ComposeFile!)], _ => null).Services.First(described => described.ContainerName == service.Container);

    private static EmulatedContainer Describe(ServiceDefinition service, ComposeService described, IReadOnlyDictionary<string, string> labels) => new()
    {
        Name = service.Container,
        Image = described.Image!,
        CreatedAt = DateTimeOffset.UtcNow,
        State = ContainerState.Created,
        Network = $"{Project}_default",
        Labels = labels,
        User = described.User ?? "",
        Command = described.Command ?? [],
        Environment = [.. described.Environment.Where(variable => variable.HasValue).Select(variable => $"{variable.Name}={variable.Reveal()}")],
        MemoryLimit = described.MemoryLimitInBytes,
        Init = described.Init,
        Healthcheck = described.Healthcheck is { } check
            ? new() { Test = ["CMD-SHELL", .. check.Test], Interval = check.Interval, Timeout = check.Timeout, Retries = check.Retries, StartPeriod = check.StartPeriod, StartInterval = check.StartInterval }
            : null,
        Ports = [new(8188, "tcp", "127.0.0.1", service.Url.Port)],
        Processes = ["/sbin/docker-init -- sh /setup/entrypoint.sh", "/workspace/venv/bin/python main.py --listen 0.0.0.0 --port 8188"],
        Mounts =
        [
            .. described.Mounts.Where(mount => mount.Source is not null).Select(mount => mount.Kind == ComposeMountKind.Bind
                ? new ContainerMount("bind", "", mount.Source!, mount.Target, mount.IsReadOnly)
                : new ContainerMount("volume", $"{Project}_{mount.Source}", $"/var/lib/docker/volumes/{Project}_{mount.Source}/_data", mount.Target, mount.IsReadOnly)),
        ],
        Files = Image,
    };

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
