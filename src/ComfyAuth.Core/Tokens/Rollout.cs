using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Tokens;

/// <summary>
/// Brings a change of files into the containers that read them, and proves it live. A container that holds an old value in its
/// environment is recreated, one that only read it at its start is restarted, one that takes the new value already is left alone, and
/// so is one that does not run.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Learns and hides the secrets.</param>
/// <param name="logger">Is told what is done to containers; null for nobody.</param>
public sealed class Rollout(DockerClient engine, SecretRedactor redactor, ILogger? logger = null)
{
    /// <summary>How long a container may take until it is ready.</summary>
    public ContainerWaitOptions Wait { get; init; } = new();

    /// <summary>How long a container may take to end by itself before it is killed, up to a day; null: 10 s.</summary>
    public TimeSpan? GracePeriod { get; init; }

    /// <summary>Is told what is being done, from several threads; null when nobody listens.</summary>
    public IProgress<string>? Progress { get; init; }

    /// <summary>How long an engine that answered before may be silent.</summary>
    internal TimeSpan EngineGrace { get; init; } = TimeSpan.FromMinutes(1);

    internal ContainerLifecycle Lifecycle { get; } = new(engine, redactor, logger);

    private LoginProver Prover { get; } = new(redactor);

    internal async Task<RolloutPlan<T>> PlanAsync<T>(
        GenAIStack stack,
        IReadOnlyList<RolloutTarget> targets,
        IReadOnlyList<PlannedChange> files,
        Func<Func<PlannedChange, Task<bool>>?, IChangeProof, CancellationToken, Task<IReadOnlyList<T>>> apply,
        CancellationToken stop)
    {
        var containers = new List<RolloutContainer>();
        foreach (var group in targets.GroupBy(target => target.Service.Container))
            containers.Add(await LookAsync(stack, [.. group], files.Count > 0, stop).ConfigureAwait(false));
        return new([.. files, .. containers.Select(container => container.Planned).OfType<PlannedChange>()], approve => new(this, stack, containers, files.Count > 0, approve), apply);
    }

    /// <summary>Waits until the services of a container are ready.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="container">The container.</param>
    /// <param name="isNew">Whether what is expected is waited for, not what stands in the files.</param>
    /// <param name="timeout">When to give up; null: as <see cref="Wait"/> says.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The first wait that failed; null where all ended well, or the readiness cannot be told.</returns>
    internal async Task<ContainerWaitResult?> WaitAsync(GenAIStack stack, RolloutContainer container, bool isNew, TimeSpan? timeout, CancellationToken stop)
    {
        var observer = new ContainerObserver(engine, redactor, (of, service) =>
            (isNew ? container.Targets.FirstOrDefault(target => target.Service == service)?.Expected?.Token : null) ?? BearerToken.Of(of, service, redactor));
        var waiter = new ContainerWaiter(engine, observer, redactor) { EngineGrace = EngineGrace };
        var options = Wait with { Goal = ContainerGoal.Ready, Timeout = timeout ?? Wait.Timeout };
        var progress = Progress is null || timeout == TimeSpan.Zero ? null : new Listener(Progress);
        ContainerWaitResult? failed = null;
        await foreach (var result in waiter.WaitAsync(stack, [.. container.Targets.Select(target => target.Service)], options, progress, stop).ConfigureAwait(false))
        {
            if (result.Outcome is not (ContainerWaitOutcome.Reached or ContainerWaitOutcome.Undetermined))
                failed ??= result;
        }

        return failed;
    }

    /// <summary>Proves the login of a service, where it is the container itself that answers: no secret is for anybody else.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="target">The service, which has an expectation.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The proof; not determined where somebody else answers.</returns>
    internal async Task<LoginProof> ProveAsync(GenAIStack stack, RolloutTarget target, CancellationToken stop)
    {
        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        return ContainerObserver.AnswersItself(ContainerObserver.Find(stack, target.Service, all), target.Service, all)
            ? await Prover.ProveAsync(target.Service, target.Expected!, stop).ConfigureAwait(false)
            : NotAsked(
                target.Service,
                "the container does not run, or another one answers at the address of the service",
                "See with Get-GenAIContainer which container has the port, and mend the ports or the url of the service.");
    }

    /// <summary>Whether a service with a login lets everybody in.</summary>
    internal async Task<bool> IsOpenAsync(ServiceDefinition service, CancellationToken stop) =>
        service.Auth == AuthKind.ComfyUILogin && (await Prover.ProveAsync(service, new(), stop).ConfigureAwait(false)).RefusesNoToken == false;

    /// <summary>The message of an error of any kind, without secrets.</summary>
    internal string Describe(Exception error) => redactor.Describe(error);

    /// <summary>The proof of a login that was not asked.</summary>
    internal static LoginProof NotAsked(ServiceDefinition service, string why, string remedy) => new()
    {
        Service = service.Name,
        Address = service.Url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped),
        Evidence = [$"the login was not asked: {why}"],
        Remedy = remedy,
    };

    /// <summary>Looks at a container before anything is changed.</summary>
    private async Task<RolloutContainer> LookAsync(GenAIStack stack, IReadOnlyList<RolloutTarget> targets, bool anyFiles, CancellationToken stop)
    {
        var container = new RolloutContainer(targets);
        var details = await Lifecycle.FindAsync(stack, container.Service, stop).ConfigureAwait(false);
        if (details?.State is not (ContainerState.Running or ContainerState.Restarting))
        {
            container.State = details?.State;
            return container;
        }

        var plan = await Lifecycle.PlanRestartAsync(stack, container.Service, GracePeriod, stop).ConfigureAwait(false);
        container.State = details.State;
        container.DriftBefore = plan.Drift;
        if (!anyFiles && !await NeedsItAsync(stack, container, plan, stop).ConfigureAwait(false))
            return container;

        ThrowIfItKeepsTheToken(container, details, plan);
        container.WasReady = await WaitAsync(stack, container, isNew: false, TimeSpan.Zero, stop).ConfigureAwait(false) is null;
        container.Planned = new(details.Name, ContainerChangeAction.Restarted, targets.Any(target => target.IsNew)
            ? "Restart it, or recreate it where its environment holds the old token, and prove the new one live"
            : "Restart or recreate it if it does not work with what the files say, and prove that it does");
        return container;
    }

    /// <summary>Whether a container has to be touched although no file changes: somebody changed them before, and left it at that.</summary>
    private async Task<bool> NeedsItAsync(GenAIStack stack, RolloutContainer container, ContainerChangePlan plan, CancellationToken stop)
    {
        var needs = container.Targets.Any(target => target.NeedsRecreation(plan));
        foreach (var target in container.Targets.Where(target => target.Expected is not null))
        {
            var proof = await ProveAsync(stack, target, stop).ConfigureAwait(false);
            container.Proofs.Add(proof);
            needs |= proof.IsProven != true;
        }

        return needs;
    }

    /// <summary>A restart does not change the environment, and only Compose can make such a container anew.</summary>
    private static void ThrowIfItKeepsTheToken(RolloutContainer container, ContainerDetails details, ContainerChangePlan plan)
    {
        var held = container.Targets.SelectMany(target => target.Held(details)).Distinct().ToList();
        if (held.Count == 0)
            return;

        var lost = plan.Lost.Except(held).ToList();
        var why = !plan.CanRecreate ? (plan.Note.Length > 0 ? plan.Note : "Compose did not make it, so it cannot be recreated from here.")
            : lost.Count > 0 ? $"Recreated from here it would lose {string.Join(", ", lost)}, which nothing defines here."
            : null;
        if (why is not null)
        {
            throw new ComfyAuthException(
                "ContainerKeepsToken",
                $"The environment of the container '{details.Name}' holds another token ({string.Join(", ", held)}), which a restart does not change. {why} Nothing was changed.",
                "Synchronise without a restart, then make the container anew the way it was made; or have Compose make it from the stack's compose file.");
        }
    }

    private sealed class Listener(IProgress<string> progress) : IProgress<ContainerDiagnosis>
    {
        public void Report(ContainerDiagnosis value) => progress.Report($"Waiting for the container '{value.Container}': {value.Condition}");
    }
}
