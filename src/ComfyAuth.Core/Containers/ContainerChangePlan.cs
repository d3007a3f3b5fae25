using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>What starting, stopping or restarting the container of one service would do. Nothing has been done yet.</summary>
public sealed class ContainerChangePlan
{
    private readonly ContainerLifecycle _lifecycle;

    internal ContainerChangePlan(ContainerLifecycle lifecycle, GenAIStack stack, ServiceDefinition service)
    {
        _lifecycle = lifecycle;
        Stack = stack;
        Service = service;
    }

    /// <summary>The stack.</summary>
    public GenAIStack Stack { get; }

    /// <summary>The service whose container it is.</summary>
    public ServiceDefinition Service { get; }

    /// <summary>The change; null when nothing is to be done.</summary>
    public PlannedContainerChange? Change { get; internal init; }

    /// <summary>In what the container differs from its compose file; empty where it does not, and where that was not asked or cannot be told.</summary>
    public IReadOnlyList<ContainerDrift> Drift { get; internal init; } = [];

    /// <summary>Does it, once.</summary>
    /// <param name="approve">Asked before the change; null approves.</param>
    /// <param name="progress">Gets each line that Compose says, on another thread; null when nobody listens.</param>
    /// <param name="stop">Ends the work; what the engine was told already it goes on with.</param>
    /// <returns>What was done, and how the container is now.</returns>
    /// <exception cref="DockerException">The engine refused; the message says why.</exception>
    /// <exception cref="ComfyAuthException">
    /// <c>ContainerChangedMeanwhile</c>: somebody removed or replaced the container; nothing was done. <c>ComposeNotInstalled</c> and
    /// <c>ComposeCannotReachEngine</c>: nothing was done. <c>ComposeCommandFailed</c>: the message says what there is now.
    /// </exception>
    public Task<ContainerChange> ApplyAsync(Func<PlannedContainerChange, Task<bool>>? approve = null, IProgress<ComposeProgress>? progress = null, CancellationToken stop = default) =>
        _lifecycle.ApplyAsync(this, approve, progress, isHeld: false, stop);

    /// <summary>What was seen when the plan was made; null when there was no such container.</summary>
    internal ContainerDetails? Container { get; init; }

    /// <summary>What the container is made of, where it is to be made.</summary>
    internal ContainerBlueprint? Blueprint { get; init; }

    /// <summary>Whether Compose made the container, from files that can be followed.</summary>
    internal bool CanRecreate { get; init; }

    /// <summary>The variables that a new container would not have, although nobody took them out.</summary>
    internal IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>How long the container may take to end by itself; null: 10 s.</summary>
    internal TimeSpan? Grace { get; init; }

    /// <summary>What a person should know beside what was done; empty for nothing.</summary>
    internal string Note { get; init; } = "";
}
