namespace ComfyAuth.Comfy;

/// <summary>What happens to a prompt.</summary>
public enum PromptEventKind
{
    /// <summary>Something is wrong with it that does not keep it from running.</summary>
    Warning,

    /// <summary>It waits; other prompts are before it.</summary>
    Queued,

    /// <summary>It runs.</summary>
    Started,

    /// <summary>Nodes are not run, because their results are there already.</summary>
    Cached,

    /// <summary>A node runs.</summary>
    Executing,

    /// <summary>A node has done a step.</summary>
    Progress,

    /// <summary>A node that gives something out has ended.</summary>
    Executed,

    /// <summary>The connection over which the server tells was lost, or could not be made; it is asked instead, and connected to again.</summary>
    ConnectionLost,

    /// <summary>It ended well.</summary>
    Succeeded,

    /// <summary>A node failed, and so did it.</summary>
    Failed,

    /// <summary>Somebody interrupted it.</summary>
    Interrupted,
}
