using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>Does what Compose would do, with an emulated engine: reads the compose file that stands there, and makes what it says.</summary>
internal sealed class SiteDeployer(EmulatedEngine engine, DockerClient client) : IContainerDeployer
{
    /// <summary>What it was asked for, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Is asked before each call; throws what is to go wrong.</summary>
    public Func<string, Task>? Before { get; set; }

    /// <summary>Changes the container that it makes.</summary>
    public Func<EmulatedContainer, EmulatedContainer> Container { get; set; } = container => container;

    /// <summary>The name of the compose project.</summary>
    public const string Project = "comfyui-qwen";

    public async Task<string> DescribeAsync(CancellationToken stop)
    {
        await CallAsync("describe");
        return "docker compose 2.26.1";
    }

    public async Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        await CallAsync("build");
        progress?.Report(ComposeProgress.Parse("#5 [2/4] RUN sh /setup/install.sh venv torch"));
        engine.AddImage(ContainerBlueprint.OfNew(stack, service).Service!.Image!);
    }

    public async Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        await CallAsync("up");
        var blueprint = ContainerBlueprint.OfNew(stack, service);
        var made = blueprint.Service!;
        var folder = Path.GetDirectoryName(blueprint.Project.Files[0])!;
        var labels = new Dictionary<string, string>
        {
            ["com.docker.compose.project"] = Project,
            ["com.docker.compose.service"] = made.Name,
            ["com.docker.compose.project.working_dir"] = folder,
            ["com.docker.compose.project.config_files"] = blueprint.Project.Files[0],
        };
        engine.AddNetwork($"{Project}_default", labels);
        foreach (var volume in made.Mounts.Where(mount => mount is { Kind: ComposeMountKind.Volume, Source: not null }))
            engine.AddVolume($"{Project}_{volume.Source}", labels);
        if (!engine.Containers.Any(container => container.Name == service.Container))
        {
            engine.Add(Container(new()
            {
                Name = service.Container,
                Image = made.Image!,
                CreatedAt = DateTimeOffset.UtcNow,
                State = ContainerState.Created,
                Network = $"{Project}_default",
                Labels = labels,
                User = made.User ?? "",
                Command = made.Command ?? [],
                Environment = [.. made.Environment.Where(variable => variable.HasValue).Select(variable => $"{variable.Name}={variable.Reveal()}")],
                MemoryLimit = made.MemoryLimitInBytes,
                Init = made.Init,
                Healthcheck = made.Healthcheck is { } check
                    ? new() { Test = ["CMD-SHELL", .. check.Test], Interval = check.Interval, Timeout = check.Timeout, Retries = check.Retries, StartPeriod = check.StartPeriod, StartInterval = check.StartInterval }
                    : null,
                Ports = [new(8188, "tcp", "127.0.0.1", service.Url.Port)],
                Processes = ["/sbin/docker-init -- sh /setup/entrypoint.sh", "/workspace/venv/bin/python main.py --listen 0.0.0.0 --port 8188"],
                Mounts =
                [
                    .. made.Mounts.Where(mount => mount.Source is not null).Select(mount => mount.Kind == ComposeMountKind.Bind
                        ? new ContainerMount("bind", "", mount.Source!, mount.Target, mount.IsReadOnly)
                        : new ContainerMount("volume", $"{Project}_{mount.Source}", $"/var/lib/docker/volumes/{Project}_{mount.Source}/_data", mount.Target, mount.IsReadOnly)),
                ],
                Files = FilesOfTheImage(),
            }));
        }

        await client.StartAsync(service.Container, stop);
    }

    /// <summary>What the image of the templates holds, as far as anybody looks.</summary>
    private static Dictionary<string, EmulatedFile> FilesOfTheImage() => new()
    {
        ["/workspace/ComfyUI/main.py"] = new("pass\n"),
        ["/workspace/ComfyUI/comfyui_version.py"] = new($"__version__ = \"{DeploymentTemplates.ComfyUIVersion}\"\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/__init__.py"] = new("from .password import *\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/password.py"] = new("pass\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/requirements.txt"] = new("aiohttp\naiohttp_session[secure]\nJinja2\nbcrypt\npycryptodome\n"),
        ["/workspace/ComfyUI/custom_nodes/ComfyUI-Login/.git/HEAD"] = new(DeploymentTemplates.LoginCommit + "\n"),
        ["/workspace/venv/bin/python"] = new("") { LinkTarget = "/usr/local/bin/python3" },
    };

    private Task CallAsync(string call)
    {
        Calls.Add(call);
        return Before?.Invoke(call) ?? Task.CompletedTask;
    }
}
