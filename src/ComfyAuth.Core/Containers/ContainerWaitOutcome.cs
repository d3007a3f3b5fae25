namespace ComfyAuth.Containers;

/// <summary>How a wait ended.</summary>
public enum ContainerWaitOutcome
{
    /// <summary>The container is what it was waited for to be.</summary>
    Reached,

    /// <summary>It cannot get there by itself.</summary>
    Failed,

    /// <summary>It showed no sign of life for too long.</summary>
    Stalled,

    /// <summary>The time was over.</summary>
    TimedOut,

    /// <summary>Whether it is there cannot be found out, for want of a token or a healthcheck.</summary>
    Undetermined,
}
