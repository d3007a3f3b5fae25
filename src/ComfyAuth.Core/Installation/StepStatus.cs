namespace ComfyAuth.Installation;

/// <summary>How a step of an installation ended.</summary>
public enum StepStatus
{
    /// <summary>All was as it should be before; nothing was changed.</summary>
    Unchanged,

    /// <summary>Something was changed, and is proven to be as it should be.</summary>
    Done,

    /// <summary>It was left out on request, or does not apply; nothing is known about what it is for.</summary>
    Skipped,

    /// <summary>It would change something; nothing was done.</summary>
    Planned,

    /// <summary>A change that it needs was declined.</summary>
    Declined,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It was not reached.</summary>
    NotRun,
}
