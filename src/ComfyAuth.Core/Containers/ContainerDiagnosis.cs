using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>What one container of a stack is really doing, why, and what to do about it. Holds no secret.</summary>
public sealed record ContainerDiagnosis
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The service, as the stack names it.</summary>
    public required string Service { get; init; }

    /// <summary>The container's name.</summary>
    public required string Container { get; init; }

    /// <summary>What it is doing.</summary>
    public required ContainerCondition Condition { get; init; }

    /// <summary>How sure that is.</summary>
    public required DiagnosisConfidence Confidence { get; init; }

    /// <summary>Whether it cannot get well by itself: waiting for it is in vain.</summary>
    public bool IsFault => Condition is not (
        ContainerCondition.Ready or ContainerCondition.Starting or ContainerCondition.Installing or ContainerCondition.Restarting or ContainerCondition.Unknown);

    /// <summary>Whether the service answers at all; null: could not be found out.</summary>
    public bool? IsLive { get; init; }

    /// <summary>Whether it refuses a request without a token; null: could not be found out, or it is not meant to.</summary>
    public bool? IsProtected { get; init; }

    /// <summary>Whether it does its work for us: it accepts our token, where it asks for one. Null: could not be found out.</summary>
    public bool? IsReady { get; init; }

    /// <summary>The engine's own state of the container; null when there is none.</summary>
    public ContainerState? State { get; init; }

    /// <summary>What the healthcheck says.</summary>
    public ContainerHealthStatus Health { get; init; }

    /// <summary>What is the matter, in one sentence or two.</summary>
    public required string Message { get; init; }

    /// <summary>What that is concluded from, a line each.</summary>
    public required IReadOnlyList<string> Evidence { get; init; }

    /// <summary>What to do about it; empty when nothing.</summary>
    public required string Remedy { get; init; }

    /// <summary>What else is the matter, beside <see cref="Condition"/>.</summary>
    public IReadOnlyList<ContainerCondition> Also { get; init; } = [];

    /// <summary>While installing, what it is at: a package, a repository or a file; null when it does not tell.</summary>
    public string? Package { get; init; }

    /// <summary>While installing, bytes received over the container's own networks since its start; null where they are not counted.</summary>
    public long? BytesReceived { get; init; }

    /// <summary>While starting or installing, whether something still happens; null: too early to say.</summary>
    public bool? IsMoving { get; init; }

    /// <summary>The last sign of life: a line of the log, or work, traffic or writing that the engine counted; null: none was seen.</summary>
    public DateTimeOffset? LastSignOfLife { get; init; }

    /// <summary>When the healthcheck will call it unhealthy if nothing changes; null when it will not, or already has.</summary>
    public DateTimeOffset? UnhealthyAt { get; init; }

    /// <summary>The image it was made from.</summary>
    public string? Image { get; init; }

    /// <summary>The engine's identifier of the container.</summary>
    public string? Id { get; init; }

    /// <summary>When it was started last.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How long it has run; null when it does not.</summary>
    public TimeSpan? Uptime { get; init; }

    /// <summary>How often the restart policy has started it again.</summary>
    public int RestartCount { get; init; }

    /// <summary>The exit code of its last end; null while it runs and when it never ran.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Its ports as <c>docker ps</c> writes them, such as <c>127.0.0.1:8188->8188/tcp</c>.</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];

    /// <summary>
    /// Processor time per time in percent; 100 is one processor in full use. Between two samples where there are two, which
    /// is so while it does not answer and while it is waited for; else since its start, as <c>ps</c> does.
    /// </summary>
    public double? Cpu { get; init; }

    /// <summary>Memory in use in bytes, without the file cache that the kernel can drop at once.</summary>
    public long? MemoryUsed { get; init; }

    /// <summary>Its memory limit in bytes; null when it has none.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>When all this was seen.</summary>
    public required DateTimeOffset ObservedAt { get; init; }
}
