namespace ComfyAuth.Containers;

/// <summary>How a container is waited for.</summary>
public sealed record ContainerWaitOptions
{
    /// <summary>What it shall be.</summary>
    public ContainerGoal Goal { get; init; }

    /// <summary>When to give up, whatever happens. The first start of a container that installs PyTorch takes 5 to 15 minutes, on a slow line more. Zero looks once.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// When to give up on a container that shows no sign of life: a line of its log, another package that it installs, work that goes
    /// on for three looks, another start, an answer. What a healthcheck does is none. Does not run while the engine is silent.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
