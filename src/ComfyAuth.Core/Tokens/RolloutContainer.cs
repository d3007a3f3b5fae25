using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>A container in a rollout, as it was before.</summary>
/// <param name="targets">The services that it serves; at least one.</param>
internal sealed class RolloutContainer(IReadOnlyList<RolloutTarget> targets)
{
    public IReadOnlyList<RolloutTarget> Targets => targets;

    /// <summary>The service by which it is found.</summary>
    public ServiceDefinition Service => targets[0].Service;

    public string Name => Service.Container;

    /// <summary>Null where there is none.</summary>
    public ContainerState? State { get; set; }

    public bool IsRunning => State is ContainerState.Running or ContainerState.Restarting;

    /// <summary>In what it differed from its compose file already.</summary>
    public IReadOnlyList<ContainerDrift> DriftBefore { get; set; } = [];

    /// <summary>Whether it took the token that stood in the files.</summary>
    public bool WasReady { get; set; }

    /// <summary>What is asked for; null where nothing needs to be done.</summary>
    public PlannedContainerChange? Planned { get; set; }

    /// <summary>What was proven before anything was done; empty where that was not asked.</summary>
    public List<LoginProof> Proofs { get; } = [];
}
