using System.Text;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation;

/// <summary>What there is of a deployment, and what it will be once its missing files are laid out. Looks only.</summary>
internal sealed record Deployment
{
    /// <summary>The files to lay out; null where the container was made by hand, or the service has no ComfyUI-Login.</summary>
    public DeploymentPlan? Plan { get; private init; }

    /// <summary>The stack, as it will be.</summary>
    public required GenAIStack Stack { get; init; }

    /// <summary>The service, as it will be.</summary>
    public required ServiceDefinition Service { get; init; }

    /// <summary>The container; null where it is to be made.</summary>
    public ContainerDetails? Container { get; private init; }

    /// <summary>What a container that is to be made is made of; null where there is one, and where the compose file includes it from elsewhere.</summary>
    public ComposeService? Compose { get; private init; }

    /// <summary>The name of the compose project that the container is to be of.</summary>
    public string Project => File?.ProjectName ?? "";

    private ComposeFile? File { get; init; }

    /// <summary>The files to lay out.</summary>
    public IReadOnlyList<DeploymentFile> Missing => Plan?.Missing ?? [];

    /// <summary>Whether the program in the container is there, so that nothing is to be started.</summary>
    public bool IsRunning => Container?.State is ContainerState.Running or ContainerState.Restarting;

    /// <summary>The names of the image; which one, where the compose file names none, each version of Compose has its own mind.</summary>
    public IReadOnlyList<string> Images => Compose is null ? [] : ImagesOf(Compose, Project);

    /// <summary>The networks that Compose makes for the container.</summary>
    public IReadOnlyList<string> Networks => Compose is null or { NetworkMode: not null } ? []
        : [.. Compose.Networks.DefaultIfEmpty("default").Select(network => File!.NetworkNames.GetValueOrDefault(network, $"{Project}_{network}"))];

    /// <summary>The volumes that Compose makes for the container.</summary>
    public IReadOnlyList<string> Volumes => Compose is null ? [] :
    [
        .. Compose.Mounts.Where(mount => mount is { Kind: ComposeMountKind.Volume, Source: not null }).Select(mount => mount.VolumeName ?? $"{Project}_{mount.Source}"),
    ];

    /// <summary>Looks.</summary>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException">
    /// <c>InstallContainerForeign</c>: the container is of another installation, or Compose would replace one that is; or what <see cref="DeploymentTemplates.Plan"/>,
    /// <see cref="ComposeFile.Load"/> and <see cref="ContainerLifecycle.PlanStartAsync"/> report.
    /// </exception>
    public static async Task<Deployment> LookAsync(InstallContext context, CancellationToken stop)
    {
        var container = await new ContainerLifecycle(context.Engine, context.Redactor).FindAsync(context.Stack, context.Service, stop).ConfigureAwait(false);
        var plan = PlanOf(context);
        var origin = container is null ? null : ContainerOrigin.Of(container);
        if (origin is not null && IsElsewhere(context, origin))
            throw Foreign(container!.Name, origin.Folder!);
        if (container is not null && plan is not null && IsWithoutComposeFile(plan, context))
        {
            if (origin is not null)
                throw Foreign(container.Name, origin.Folder ?? string.Join(", ", origin.Files));
            plan = null;
        }

        var stack = plan?.Stack ?? context.Stack;
        var service = Installer.ServiceOf(stack, context.Options);
        var (compose, composeFile) = container is null ? ComposeOf(stack, service, plan?.Missing ?? []) : (null, null);
        if (compose is not null)
        {
            await ThrowIfReplacedAsync(context, compose, composeFile!, stop).ConfigureAwait(false);
            var mounted = WithMounted(stack, service, compose);
            stack = stack with { Definition = stack.Definition with { Services = [.. stack.Definition.Services.Select(other => other == service ? mounted : other)] } };
            service = mounted;
        }

        return new() { Plan = plan, Stack = stack, Service = service, Container = container, Compose = compose, File = composeFile };
    }

    /// <summary>What of the files is missing, without asking the engine; null for a service without ComfyUI-Login.</summary>
    public static DeploymentPlan? PlanOf(InstallContext context) => context.Service.Auth == AuthKind.ComfyUILogin
        ? DeploymentTemplates.Plan(context.Root, new() { Service = context.Options.Service, Cpu = context.Options.Cpu, Port = context.Options.Port })
        : null;

    /// <summary>What Compose would make of the service, and out of which file.</summary>
    public static (ComposeService? Service, ComposeFile File) ComposeOf(GenAIStack stack, ServiceDefinition service, IReadOnlyList<DeploymentFile> missing)
    {
        var text = missing.FirstOrDefault(file => file.Path == service.ComposeFile);
        var blueprint = text is null ? ContainerBlueprint.OfNew(stack, service) : null;
        var file = blueprint is null
            ? ComposeFile.Parse([(stack.PathOf(text!.Path), Encoding.UTF8.GetString(text.Content.Span))], Environment.GetEnvironmentVariable, ["*"], null)
            : ComposeFile.Load(blueprint.Project.Files, profiles: ["*"]);
        return (blueprint is null ? file.Services[0] : blueprint.Service, file);
    }

    /// <summary>The names that the image of a service has or may have.</summary>
    public static IReadOnlyList<string> ImagesOf(ComposeService compose, string project) =>
        compose.Image is { } image ? [image.LastIndexOf(':') > image.LastIndexOf('/') ? image : $"{image}:latest"] : [$"{project}-{compose.Name}:latest", $"{project}_{compose.Name}:latest"];

    /// <summary>The service, in which a place that need not be there is one that must be, where the container reads it: the container cannot be made without it.</summary>
    private static ServiceDefinition WithMounted(GenAIStack stack, ServiceDefinition service, ComposeService compose)
    {
        var sources = compose.Mounts.Where(mount => mount is { Kind: ComposeMountKind.Bind, Source: not null }).Select(mount => mount.Source!).ToHashSet(RealPath.Comparer);
        return service with { TokenLocations = [.. service.TokenLocations.Select(location => sources.Contains(stack.PathOf(location.Path)) ? location with { Presence = TokenPresence.Always } : location)] };
    }

    private static bool IsWithoutComposeFile(DeploymentPlan plan, InstallContext context) =>
        Installer.ServiceOf(plan.Stack, context.Options).ComposeFile is not { } compose || plan.Missing.Any(file => file.Path == compose);

    /// <summary>Whether the folder that a container was made from is another one of this machine; one of another machine cannot be told apart.</summary>
    private static bool IsElsewhere(InstallContext context, ContainerOrigin origin)
    {
        if (!Directory.Exists(origin.Folder))
            return false;
        var folder = RealPath.Of(origin.Folder);
        return RealPath.Inside(RealPath.Of(context.Root), folder) is null
            && !(context.Service.ComposeFile is { } compose && RealPath.Comparer.Equals(folder, RealPath.Of(Path.GetDirectoryName(context.Stack.PathOf(compose))!)));
    }

    /// <summary>Compose takes a container of the same project and service for its own, whatever it is called and wherever it was made, and replaces it.</summary>
    private static async Task ThrowIfReplacedAsync(InstallContext context, ComposeService compose, ComposeFile file, CancellationToken stop)
    {
        string[] labels = [$"{ContainerOrigin.ProjectLabel}={file.ProjectName}", $"{ContainerOrigin.ServiceLabel}={compose.Name}"];
        var all = await context.Engine.ListContainersAsync(labels: labels, stop: stop).ConfigureAwait(false);
        if (all.FirstOrDefault(container => !ContainerOrigin.IsOneOff(container.Labels)) is { } other)
            throw Foreign(other.Name, ContainerOrigin.FolderOf(other.Labels) ?? "elsewhere");
    }

    private static ComfyAuthException Foreign(string container, string from) => new(
        "InstallContainerForeign",
        $"There is a container '{container}' already, made from '{from}', which is not of this stack.",
        $"Install into the stack that it is of; or remove it ('docker rm -f {container}'); or name another 'container' in {GenAIStack.FileName} and in the compose file, and have that file in a folder of another name, which Compose tells its projects by.");
}
