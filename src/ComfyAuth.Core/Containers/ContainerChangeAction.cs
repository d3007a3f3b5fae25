namespace ComfyAuth.Containers;

/// <summary>What was done to a container.</summary>
public enum ContainerChangeAction
{
    /// <summary>Nothing: it was as it should be.</summary>
    None,

    /// <summary>It was started, or a paused one went on.</summary>
    Started,

    /// <summary>It was made with Compose, and started.</summary>
    Created,

    /// <summary>It was stopped.</summary>
    Stopped,

    /// <summary>It was stopped and started again.</summary>
    Restarted,

    /// <summary>It was replaced by a new one with the settings of its compose file.</summary>
    Recreated,

    /// <summary>Nothing: the user declined the change.</summary>
    Declined,
}
