using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Installation;

/// <summary>Makes containers with the compose command of this machine, in whichever engine we talk to.</summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Takes the secrets out of what Compose says.</param>
/// <param name="logger">Is told what is done; null for nobody.</param>
public sealed class ComposeDeployer(DockerClient engine, SecretRedactor redactor, ILogger? logger = null) : IContainerDeployer
{
    /// <summary>Where the compose command is looked for; null: in <c>PATH</c>.</summary>
    internal string? SearchPath { get; init; }

    /// <inheritdoc/>
    public async Task<string> DescribeAsync(CancellationToken stop)
    {
        var compose = await FindAsync(stop).ConfigureAwait(false);
        return $"{(compose.IsPlugin ? "docker compose" : "docker-compose")} {compose.Version}";
    }

    /// <inheritdoc/>
    /// <exception cref="ComfyAuthException">
    /// <c>ComposeCommandFailed</c>; <c>ComposeNotInstalled</c>; <c>ComposeCannotReachEngine</c>; <c>ComposeServiceNotFound</c>; or what
    /// <see cref="ComposeFile.Load"/> reports.
    /// </exception>
    public async Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
        var blueprint = ContainerBlueprint.OfNew(stack, service);
        var compose = await FindAsync(stop).ConfigureAwait(false);
        IReadOnlyList<string> services = [blueprint.ServiceName];
        try
        {
            await (blueprint.Service is { HasBuild: false, Image: not null }
                ? compose.PullAsync(blueprint.Project, services, progress, stop)
                : compose.BuildAsync(blueprint.Project, services, progress, stop)).ConfigureAwait(false);
        }
        catch (ComposeCommandException error)
        {
            throw ContainerRefusal.Explain(error);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ComfyAuthException">As <see cref="BuildAsync"/>; <c>ContainerAbsent</c>: Compose made no container of the service's name.</exception>
    /// <exception cref="DockerException">The engine refused; the message says why.</exception>
    public async Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
        var lifecycle = new ContainerLifecycle(engine, redactor, logger) { ComposeSearchPath = SearchPath };
        var plan = await lifecycle.PlanStartAsync(stack, service, stop).ConfigureAwait(false);
        var made = await plan.ApplyAsync(progress: progress, stop: stop).ConfigureAwait(false);
        if (made.After is null)
            throw new ComfyAuthException("ContainerAbsent", made.Message, "Do that, then run again.");
    }

    private async Task<ComposeCommand> FindAsync(CancellationToken stop)
    {
        // Without BuildKit, which docker-compose 1.29 does not use by itself, the mounts of a Dockerfile's RUN are an error.
        var variables = new Dictionary<string, string?>(ComposeEngine.Variables(engine.Endpoint)) { ["DOCKER_BUILDKIT"] = "1", ["COMPOSE_DOCKER_CLI_BUILD"] = "1" };
        var compose = await ComposeCommand.FindAsync(redactor, stop, SearchPath, variables).ConfigureAwait(false);
        ComposeEngine.ThrowIfOutOfReach(engine.Endpoint, compose);
        return compose;
    }
}
