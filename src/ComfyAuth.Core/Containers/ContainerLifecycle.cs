using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Containers;

/// <summary>
/// Starts, stops and restarts the containers of a stack. A restart gives a container none of the settings that were changed since it was
/// made; where there are such, it is replaced by a new one.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Learns the secrets of the containers and of the compose files, and takes them out of what Compose says.</param>
/// <param name="logger">Is told what is done.</param>
public sealed partial class ContainerLifecycle(DockerClient engine, SecretRedactor redactor, ILogger? logger = null)
{
    private const int ShownReasons = 5;
    private const int KilledExitCode = 137;
    private static readonly TimeSpan LongestGrace = TimeSpan.FromDays(1);

    private readonly ILogger _logger = logger ?? NullLogger.Instance;

    /// <summary>Where the compose command is looked for; null: in <c>PATH</c>.</summary>
    internal string? ComposeSearchPath { get; init; }

    /// <summary>How long the engine is asked what is left, when nobody waits for the answer any more.</summary>
    internal TimeSpan LastLook { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long somebody else who changes the stack is waited for.</summary>
    internal TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Plans to start a container; one that is not there is made with Compose.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service whose container is meant.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException">
    /// <c>ContainerAbsent</c>: there is no container and no compose file; <c>ComposeServiceNotFound</c>: the compose file makes none of this
    /// name; or what <see cref="ComposeFile.Load"/> reports.
    /// </exception>
    public async Task<ContainerChangePlan> PlanStartAsync(GenAIStack stack, ServiceDefinition service, CancellationToken stop)
    {
        var (container, create) = await LookAsync(stack, service, stop).ConfigureAwait(false);
        if (create is not null)
            return create;

        var (action, note) = container!.State switch
        {
            ContainerState.Running => (null, "It runs already."),
            ContainerState.Restarting => (null, "The engine is about to start it again by itself."),
            ContainerState.Paused => ("Unpause", ""),
            _ => ("Start", ""),
        };
        return new ContainerChangePlan(this, stack, service)
        {
            Container = container,
            Change = action is null ? null : new(container.Name, ContainerChangeAction.Started, action),
            Note = note,
        };
    }

    /// <summary>Plans to stop a container.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service whose container is meant.</param>
    /// <param name="grace">How long it may take to end by itself before it is killed, up to a day; null: 10 s.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException"><c>GracePeriodInvalid</c>.</exception>
    public async Task<ContainerChangePlan> PlanStopAsync(GenAIStack stack, ServiceDefinition service, TimeSpan? grace, CancellationToken stop)
    {
        Check(grace);
        var container = await FindAsync(stack, service, stop).ConfigureAwait(false);
        var runs = container?.State is ContainerState.Running or ContainerState.Restarting or ContainerState.Paused or ContainerState.Unknown;
        return new ContainerChangePlan(this, stack, service)
        {
            Container = container,
            Grace = grace,
            Change = runs ? new(container!.Name, ContainerChangeAction.Stopped, "Stop") : null,
            Note = container is null ? "There is no such container." : runs ? "" : "It does not run.",
        };
    }

    /// <summary>Plans to restart a container: to recreate it where its compose file says something else by now, to make it where it is not there.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service whose container is meant.</param>
    /// <param name="grace">How long it may take to end by itself before it is killed, up to a day; null: 10 s.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException"><c>GracePeriodInvalid</c>; or as <see cref="PlanStartAsync"/>.</exception>
    public async Task<ContainerChangePlan> PlanRestartAsync(GenAIStack stack, ServiceDefinition service, TimeSpan? grace, CancellationToken stop)
    {
        Check(grace);
        var (container, create) = await LookAsync(stack, service, stop).ConfigureAwait(false);
        if (create is not null)
            return create;

        var origin = ContainerOrigin.Of(container!);
        var (blueprint, obstacle) = ContainerBlueprint.Of(stack, service, origin);
        var (drift, lost) = blueprint is null ? ([], []) : await DriftAsync(container!, blueprint.Service!, stop).ConfigureAwait(false);
        var differs = drift.Count == 0 ? "" : $"{Joined([.. drift.Select(item => item.ToString())])} {(drift.Count == 1 ? "differs" : "differ")} from {blueprint!.FileName}";
        var runs = container!.State is ContainerState.Running or ContainerState.Restarting or ContainerState.Paused;
        return new ContainerChangePlan(this, stack, service)
        {
            Container = container,
            Blueprint = blueprint,
            CanRecreate = origin is not null && blueprint is not null,
            Lost = lost,
            Drift = drift,
            Grace = grace,
            Change = drift.Count > 0 && origin is not null && lost.Count == 0 ? new(container.Name, ContainerChangeAction.Recreated, $"Recreate: {differs}")
                : runs ? new(container.Name, ContainerChangeAction.Restarted, "Restart")
                : new(container.Name, ContainerChangeAction.Started, "Start"),
            Note = obstacle is not null ? redactor.Redact($"Whether it is still what its compose file says could not be told: {obstacle}.")
                : drift.Count > 0 && origin is null ? $"It keeps its old settings, and {differs}: Compose did not make it. Remove it and start it to have Compose make it."
                : drift.Count > 0 && lost.Count > 0 ? $"It keeps its old settings, although {differs}: recreated from here, it would lose {Joined(lost)}, which nothing defines here. Define it, then restart again."
                : "",
        };
    }

    /// <summary>Does what was planned.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="approve">Asked before the change; null approves.</param>
    /// <param name="progress">Gets each line that Compose says.</param>
    /// <param name="isHeld">Whether the caller keeps others from the files of the stack already.</param>
    /// <param name="stop">Ends the work.</param>
    internal async Task<ContainerChange> ApplyAsync(
        ContainerChangePlan plan, Func<PlannedContainerChange, Task<bool>>? approve, IProgress<ComposeProgress>? progress, bool isHeld, CancellationToken stop)
    {
        if (plan.Change is not { } change)
            return Result(plan, ContainerChangeAction.None, plan.Container, "");
        if (approve is not null && !await approve(change).ConfigureAwait(false))
            return Result(plan, ContainerChangeAction.Declined, plan.Container, "");

        if (change.Kind is ContainerChangeAction.Created or ContainerChangeAction.Recreated)
            await ComposeAsync(plan, change.Kind, progress, isHeld, stop).ConfigureAwait(false);
        else
            await TellEngineAsync(plan, change.Kind, stop).ConfigureAwait(false);
        LogChange(_logger, change.Target, change.Action);

        var after = await FindAsync(plan.Stack, plan.Service, stop).ConfigureAwait(false);
        return Result(plan, change.Kind, after, Outcome(plan, change, after));
    }

    private static string Outcome(ContainerChangePlan plan, PlannedContainerChange change, ContainerDetails? after) => (change.Kind, after) switch
    {
        (ContainerChangeAction.Stopped, { ExitCode: KilledExitCode, OutOfMemoryKilled: false }) when plan.Container!.State == ContainerState.Running => "It was stopped; it did not end by itself in time and was killed.",
        (ContainerChangeAction.Stopped, _) => "It was stopped.",
        (ContainerChangeAction.Created or ContainerChangeAction.Recreated, null) =>
            $"Compose made no container of this name; write 'container_name: {change.Target}' below the service '{plan.Blueprint!.ServiceName}' in {plan.Blueprint.FileName}.",
        (_, { State: ContainerState.Exited or ContainerState.Restarting or ContainerState.Dead } ended) => $"It was {Word(change)}, and ended at once with exit code {ended.ExitCode}; its log says why.",
        _ => $"It was {Word(change)}.",
    };

    private static string Word(PlannedContainerChange change) => change.Kind switch
    {
        ContainerChangeAction.Started => change.Action == "Unpause" ? "unpaused" : "started",
        ContainerChangeAction.Created => "made and started",
        ContainerChangeAction.Recreated => "recreated",
        _ => "restarted",
    };

    private static ContainerChange Result(ContainerChangePlan plan, ContainerChangeAction action, ContainerDetails? after, string outcome) => new()
    {
        Stack = plan.Stack.Root,
        Service = plan.Service.Name,
        Container = plan.Service.Container,
        Action = action,
        Before = plan.Container?.State,
        After = after?.State,
        Reasons = [.. plan.Drift.Select(drift => drift.ToString())],
        Message = string.Join(' ', new[] { outcome, plan.Note }.Where(text => text.Length > 0)),
        ExitCode = after is { State: ContainerState.Exited or ContainerState.Dead or ContainerState.Restarting } ? after.ExitCode : null,
    };

    private static string Joined(IReadOnlyList<string> names)
    {
        if (names.Count > ShownReasons)
            names = [.. names.Take(ShownReasons - 1), $"{names.Count - ShownReasons + 1} more"];
        return names.Count == 1 ? names[0] : $"{string.Join(", ", names.SkipLast(1))} and {names[^1]}";
    }

    private static void Check(TimeSpan? grace)
    {
        if (grace < TimeSpan.Zero || grace > LongestGrace)
            throw new ComfyAuthException("GracePeriodInvalid", $"A grace period of {grace} cannot be waited for.", "Give a time from 0 to 24 hours.");
    }

    private async Task<(ContainerDetails? Container, ContainerChangePlan? Create)> LookAsync(GenAIStack stack, ServiceDefinition service, CancellationToken stop)
    {
        if (await FindAsync(stack, service, stop).ConfigureAwait(false) is { } container)
            return (container, null);

        var blueprint = ContainerBlueprint.OfNew(stack, service);
        Learn(blueprint.Service);
        return (null, new(this, stack, service) { Blueprint = blueprint, Change = new(service.Container, ContainerChangeAction.Created, "Create with compose") });
    }

    private async Task<(IReadOnlyList<ContainerDrift> Drift, IReadOnlyList<string> Lost)> DriftAsync(ContainerDetails container, ComposeService service, CancellationToken stop)
    {
        Learn(service);
        foreach (var variable in container.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)))
            redactor.Register(variable.Reveal());
        var image = await ImageAsync(container.ImageId, stop).ConfigureAwait(false);

        // What is built has the name that Compose made up when it built it.
        var current = await ImageAsync(service.Image ?? container.Image, stop).ConfigureAwait(false);
        var drift = ContainerDrift.Of(container, image, current?.Id, service);
        return (drift, Lost(container, image, service, drift));
    }

    /// <summary>
    /// The variables that have a value in the container and would have none, or a spoilt one, in a new container: whoever made it had
    /// them in the environment of the shell.
    /// </summary>
    private static List<string> Lost(ContainerDetails container, ImageDetails? image, ComposeService service, IReadOnlyList<ContainerDrift> drift) =>
    [
        .. service.Environment
            .Where(variable => variable.HasValue
                ? variable.IsSpoiled && drift.Contains(new(ContainerDriftKind.Variable, variable.Name))
                : ValueIn(image?.Environment, variable.Name) != ValueIn(container.Environment, variable.Name))
            .Where(variable => ValueIn(container.Environment, variable.Name) is { Length: > 0 })
            .Select(variable => variable.Name)
            .Order(StringComparer.Ordinal),
    ];

    private static string? ValueIn(IReadOnlyList<ContainerVariable>? environment, string name) => environment?.LastOrDefault(variable => variable.Name == name)?.Reveal();

    private void Learn(ComposeService? service)
    {
        foreach (var variable in service?.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)) ?? [])
            redactor.Register(variable.Reveal());
    }

    /// <summary>The container that the observer tells of too. The engine is not asked for the name, because it takes the beginning of an identifier for one.</summary>
    internal async Task<ContainerDetails?> FindAsync(GenAIStack stack, ServiceDefinition service, CancellationToken stop)
    {
        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        return ContainerObserver.Find(stack, service, all) is { } found ? await InspectAsync(found.Id, stop).ConfigureAwait(false) : null;
    }

    private async Task<ContainerDetails?> InspectAsync(string id, CancellationToken stop)
    {
        try
        {
            return await engine.InspectContainerAsync(id, stop).ConfigureAwait(false);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            return null;
        }
    }

    private async Task<ImageDetails?> ImageAsync(string image, CancellationToken stop)
    {
        try
        {
            return image.Length == 0 ? null : await engine.InspectImageAsync(image, stop).ConfigureAwait(false);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            return null;
        }
    }

    /// <summary>Goes by the identifier: what was approved of was this container, not one of the same name.</summary>
    private async Task TellEngineAsync(ContainerChangePlan plan, ContainerChangeAction kind, CancellationToken stop)
    {
        var container = plan.Container!;
        try
        {
            await (kind switch
            {
                ContainerChangeAction.Stopped => engine.StopAsync(container.Id, plan.Grace, stop),
                ContainerChangeAction.Restarted => engine.RestartAsync(container.Id, plan.Grace, stop),
                _ when container.State == ContainerState.Paused => engine.UnpauseAsync(container.Id, stop),
                _ => engine.StartAsync(container.Id, stop),
            }).ConfigureAwait(false);
        }
        catch (DockerException error)
        {
            if (error.Code == "DockerNotFound" && await InspectAsync(container.Id, stop).ConfigureAwait(false) is null)
                throw ChangedMeanwhile(plan, error);
            throw ContainerRefusal.Explain(error);
        }
    }

    private async Task ComposeAsync(ContainerChangePlan plan, ContainerChangeAction kind, IProgress<ComposeProgress>? progress, bool isHeld, CancellationToken stop)
    {
        var variables = ComposeEngine.Variables(engine.Endpoint);
        var compose = await ComposeCommand.FindAsync(redactor, stop, ComposeSearchPath, variables).ConfigureAwait(false);
        ComposeEngine.ThrowIfOutOfReach(engine.Endpoint, compose);

        // Compose reads files that others may be about to change, and two of it at one container leave rubble.
        var hold = isHeld ? null : await HoldAsync(plan.Stack.Root, stop).ConfigureAwait(false);
        var (project, service) = (plan.Blueprint!.Project, plan.Blueprint.ServiceName);
        try
        {
            if ((await FindAsync(plan.Stack, plan.Service, stop).ConfigureAwait(false))?.Id != plan.Container?.Id)
                throw ChangedMeanwhile(plan, null);
            await (kind == ContainerChangeAction.Created
                ? compose.UpAsync(project, [service], progress, stop)
                : compose.RecreateAsync(project, service, progress, stop, plan.Grace)).ConfigureAwait(false);
        }
        catch (ComposeCommandException error)
        {
            throw ContainerRefusal.Explain(error, await RemainsAsync(plan).ConfigureAwait(false));
        }
        catch (OperationCanceledException error)
        {
            var remains = await RemainsAsync(plan).ConfigureAwait(false);
            LogInterrupted(_logger, plan.Service.Container, remains);
            throw new OperationCanceledException($"Compose was ended in the middle of its work on the container '{plan.Service.Container}'. {remains}", error, stop);
        }
        finally
        {
            if (hold is not null)
                await hold.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Keeps others from the files of the stack; null where this account may not write there.</summary>
    private async Task<FileTransaction?> HoldAsync(string root, CancellationToken stop)
    {
        try
        {
            return await FileTransaction.BeginAsync(root, new() { Logger = _logger, LockTimeout = LockTimeout }, stop).ConfigureAwait(false);
        }
        catch (ComfyAuthException error) when (error.Code is "FileAccessDenied" or "ReadOnlyFileSystem")
        {
            return null;
        }
    }

    /// <summary>What there is of the service's containers; a replaced one can be left under another name.</summary>
    private async Task<string> RemainsAsync(ContainerChangePlan plan)
    {
        using var deadline = new CancellationTokenSource(LastLook);
        try
        {
            var found = (await engine.ListContainersAsync(names: [plan.Service.Container], stop: deadline.Token).ConfigureAwait(false)).ToList();
            if (plan.Container is { } container && ContainerOrigin.Of(container) is { } origin)
            {
                string[] labels = [$"{ContainerOrigin.ProjectLabel}={origin.Project}", $"{ContainerOrigin.ServiceLabel}={origin.Service}"];
                found.AddRange(await engine.ListContainersAsync(labels: labels, stop: deadline.Token).ConfigureAwait(false));
            }

            var told = found.DistinctBy(item => item.Id).Select(item =>
                $"'{item.Name}' is {item.State.ToString().ToLowerInvariant()}{(item.Id == plan.Container?.Id ? ", and is the old one" : "")}").ToList();
            return told.Count == 0 ? "There is no container of the service now." : $"Now the container {string.Join("; ", told)}.";
        }
        catch (Exception error) when (error is DockerException or OperationCanceledException)
        {
            return "What there is now the engine does not tell.";
        }
    }

    private static ComfyAuthException ChangedMeanwhile(ContainerChangePlan plan, Exception? error) => new(
        "ContainerChangedMeanwhile",
        $"Somebody made, removed or replaced the container '{plan.Service.Container}' after it was looked at; nothing was done to it.",
        "Look at it, then run again.",
        error);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Container}: {Action}")]
    private static partial void LogChange(ILogger logger, string container, string action);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Container}: Compose was ended in the middle of its work. {Remains}")]
    private static partial void LogInterrupted(ILogger logger, string container, string remains);
}
