using ComfyAuth.Comfy;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>Everything that was seen of one container at one moment: what a diagnosis is made of.</summary>
public sealed record ContainerSnapshot
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The service that the container is of.</summary>
    public required ServiceDefinition Service { get; init; }

    /// <summary>When it was seen: by the engine's clock while the container runs, as all other times are, else by that of this machine.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>What the engine knows of it; null when there is no such container.</summary>
    public ContainerDetails? Container { get; init; }

    /// <summary>Its counters; null when it does not run.</summary>
    public ContainerStats? Stats { get; init; }

    /// <summary>What it used between two samples; null when there is one sample only.</summary>
    public ContainerUsage? Usage { get; init; }

    /// <summary>The end of its log. Not read of a container that is well.</summary>
    public IReadOnlyList<ContainerLogLine> Log { get; init; } = [];

    /// <summary>Its processes. Not read of a container that is well.</summary>
    public IReadOnlyList<ContainerProcess> Processes { get; init; } = [];

    /// <summary>
    /// What happened to it in the last ten minutes, the oldest first, without the runs of programs inside it; of one that is gone,
    /// what happened to its name. Not read of a container that is well. An engine remembers 256 events of everything.
    /// </summary>
    public IReadOnlyList<EngineEvent> Events { get; init; } = [];

    /// <summary>Those destinations of its bind mounts where a directory stands although a file is meant. Looked at on this machine: empty where the engine is on another.</summary>
    public IReadOnlyList<string> MountedDirectories { get; init; } = [];

    /// <summary>
    /// Of a container that does not run, those destinations of its bind mounts where nothing is: their sources are gone. An engine
    /// that refuses to start it for that tells only who asked it to, and notes nothing down (measured with Engine 20.10).
    /// </summary>
    public IReadOnlyList<string> MissingMounts { get; init; } = [];

    /// <summary>What the service answered.</summary>
    public ServiceReadings Readings { get; init; } = ServiceReadings.None;

    /// <summary>The other containers of the engine: one of them may have its port.</summary>
    public IReadOnlyList<ContainerSummary> Others { get; init; } = [];

    /// <summary>What could not be seen, and why; a line each, without secrets.</summary>
    public IReadOnlyList<string> NotSeen { get; init; } = [];
}
