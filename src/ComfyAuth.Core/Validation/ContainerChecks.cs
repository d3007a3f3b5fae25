using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Checks of the containers of the services, of what was seen of them in one look.</summary>
internal static class ContainerChecks
{
    /// <summary>The ground of whatever looks into a container that runs.</summary>
    public const string Running = "container.running";

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Running,
            "Container runs",
            "Each service of the stack has a container, and its main process must be there.",
            "Start it with Start-GenAIContainer, or take the service out of the stack with 'remove: true' in comfyauth.yml.",
            Any,
            async (context, service, stop) => IsRunning(context, await context.SnapshotAsync(service, stop).ConfigureAwait(false)))
        {
            DependsOn = [EngineChecks.Version],
            Weight = 2,
        },
        new(
            "container.condition",
            "Container does its work",
            "What a container really does is concluded from its state, its healthcheck, its log, its processes and the answers of its service: that it is up does not tell.",
            "Do what the finding says; docs/diagnosis.md explains the conditions.",
            Any,
            async (context, service, stop) => Conclude(ContainerDiagnostician.Diagnose(await context.SnapshotAsync(service, stop).ConfigureAwait(false), context.Redactor)))
        {
            DependsOn = [EngineChecks.Version],
            Weight = 3,
        },
        new(
            "container.health",
            "Healthcheck passes",
            "The healthcheck is what Compose, a restart policy and other services go by: it must pass when the service is well, and there must be one.",
            "Ask what answers without a token, such as /login, and raise start_period to as long as the first start takes.",
            Any,
            WithDetails((context, snapshot, container) => Health(context, snapshot, container)))
        {
            DependsOn = [Running],
        },
        new(
            "container.drift",
            "Container is what its compose file says",
            "A container keeps the settings that it was made with: what was changed in the compose file or in .env since then is not in effect yet.",
            "Make the container anew with Restart-GenAIContainer, which recreates it where that is needed.",
            service => service.ComposeFile is not null,
            DriftAsync)
        {
            DependsOn = [Running, ComposeChecks.Valid],
        },
    ];

    /// <summary>Every service.</summary>
    internal static bool Any(ServiceDefinition service) => true;

    /// <summary>A check that goes by the details of a container.</summary>
    internal static Func<CheckContext, ServiceDefinition, CancellationToken, Task<CheckOutcome>> WithDetails(Func<CheckContext, ContainerSnapshot, ContainerDetails, CheckOutcome> judge) =>
        async (context, service, stop) =>
        {
            var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
            return IsInspected(snapshot) ? judge(context, snapshot, snapshot.Container!) : NotInspected(snapshot);
        };

    /// <summary>Whether more is known of a container than what the list of all containers tells.</summary>
    internal static bool IsInspected(ContainerSnapshot snapshot) => snapshot.Container is { ImageId.Length: > 0 };

    internal static CheckOutcome NotInspected(ContainerSnapshot snapshot) =>
        CheckOutcome.Error("The engine did not give the details of the container.", snapshot.NotSeen) with { Remedy = "Check again; if it stays so, look at the engine's own log." };

    private static CheckOutcome IsRunning(CheckContext context, ContainerSnapshot snapshot)
    {
        var name = snapshot.Service.Container;
        return snapshot.Container switch
        {
            null when snapshot.NotSeen.Count > 0 => CheckOutcome.Error($"Whether there is a container '{name}' could not be found out.", snapshot.NotSeen),
            null => CheckOutcome.Failed($"There is no container '{name}'.") with
            {
                Remedy = snapshot.Service.ComposeFile is { } file
                    ? $"Make it with Start-GenAIContainer, or with 'docker compose up -d' where {file} is."
                    : $"Make the container, or take the service out of the stack with 'remove: true' below '{snapshot.Service.Name}' in {GenAIStack.FileName}.",
            },
            { State: ContainerState.Running } container => CheckOutcome.Passed($"The container '{container.Name}' runs{(container.StartedAt is { } start ? string.Create(CultureInfo.InvariantCulture, $" since {start:u}") : "")}."),
            { State: ContainerState.Unknown } => CheckOutcome.Error($"The engine has a word for the state of '{name}' that is not known here.", snapshot.NotSeen),
            var container => CheckOutcome.Failed(
                string.Create(CultureInfo.InvariantCulture, $"The container '{container.Name}' does not run: its state is {container.State.ToString().ToLowerInvariant()}, {EvidenceText.ExitCode(container.ExitCode)}."),
                [.. container.Error.Length > 0 ? [EvidenceText.Show(container.Error, context.Redactor)] : Array.Empty<string>()]) with
            {
                Remedy = container.State == ContainerState.Paused ? $"Let it go on with 'docker unpause {container.Name}'." : null,
            },
        };
    }

    /// <summary>What a diagnosis means for a check.</summary>
    private static CheckOutcome Conclude(ContainerDiagnosis diagnosis)
    {
        var status = diagnosis switch
        {
            { Condition: ContainerCondition.Ready, Also.Count: 0 } => CheckStatus.Passed,
            { Condition: ContainerCondition.Ready or ContainerCondition.Starting or ContainerCondition.Installing or ContainerCondition.Restarting } => CheckStatus.Warning,
            { Condition: ContainerCondition.Unknown } => CheckStatus.Error,
            _ => CheckStatus.Failed,
        };
        return new(status, $"{diagnosis.Condition}: {diagnosis.Message}")
        {
            Evidence = diagnosis.Evidence,
            Remedy = diagnosis.Remedy.Length > 0 ? diagnosis.Remedy
                : status == CheckStatus.Warning ? "Wait for it with Wait-GenAIContainer, which tells what it waits for."
                : null,
        };
    }

    private static CheckOutcome Health(CheckContext context, ContainerSnapshot snapshot, ContainerDetails container)
    {
        string[] evidence = container.HealthLog is [.., var last]
            ? [string.Create(CultureInfo.InvariantCulture, $"last check: {EvidenceText.ExitCode(last.ExitCode)}: {EvidenceText.Show(EvidenceText.LastLine(last.Output, context.Redactor), context.Redactor)}")]
            : [];
        return container switch
        {
            { Healthcheck: null or { Test: ["NONE", ..] } } => CheckOutcome.Warning("The container has no healthcheck, so nobody is told when its service hangs.") with
            {
                Remedy = "Add a healthcheck to the compose file that asks what answers without a token, such as /login of a ComfyUI with a login.",
            },
            { Health: ContainerHealthStatus.Healthy } => CheckOutcome.Passed("The healthcheck passes.", evidence),
            { Health: ContainerHealthStatus.Unhealthy } => CheckOutcome.Failed(
                string.Create(CultureInfo.InvariantCulture, $"The healthcheck has failed {container.HealthFailingStreak} times in a row{(snapshot.Readings.IsReady == true ? ", although the service works" : "")}."), evidence) with
            {
                Remedy = ContainerDiagnostician.Diagnose(snapshot, context.Redactor).Remedy is { Length: > 0 } remedy ? remedy : null,
            },
            _ => CheckOutcome.Warning("The healthcheck has not passed yet.", evidence) with { Remedy = "Wait for it with Wait-GenAIContainer." },
        };
    }

    private static async Task<CheckOutcome> DriftAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
        if (!IsInspected(snapshot))
            return NotInspected(snapshot);

        var container = snapshot.Container!;
        var (blueprint, obstacle) = ContainerBlueprint.Of(context.Stack, service, ContainerOrigin.Of(container));
        if (blueprint?.Service is not { } described)
        {
            return obstacle is null
                ? CheckOutcome.Skipped("The container was not made by Compose.")
                : CheckOutcome.Error($"It cannot be told what the container was made from: {obstacle}.");
        }

        foreach (var variable in described.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)))
            context.Redactor.Register(variable.Reveal());
        var image = await ImageAsync(context.Engine, container.ImageId, stop).ConfigureAwait(false);
        var current = await ImageAsync(context.Engine, described.Image ?? container.Image, stop).ConfigureAwait(false);
        var drift = ContainerDrift.Of(container, image, current?.Id, described);
        return drift.Count == 0
            ? CheckOutcome.Passed($"The container is what {blueprint.FileName} says.")
            : CheckOutcome.Warning($"The container is not what {blueprint.FileName} says by now: {string.Join(", ", drift)}.", [.. drift.Select(difference => $"differs: {difference}")]);
    }

    /// <summary>An image; null where the engine does not have it.</summary>
    internal static async Task<ImageDetails?> ImageAsync(DockerClient engine, string image, CancellationToken stop)
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
}
