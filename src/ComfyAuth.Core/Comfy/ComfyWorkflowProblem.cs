namespace ComfyAuth.Comfy;

/// <summary>Why a workflow cannot run, or did not, as far as one node of it is concerned. Holds no secret.</summary>
public sealed record ComfyWorkflowProblem
{
    /// <summary>The node; empty when the problem is the workflow's.</summary>
    public string NodeId { get; init; } = "";

    /// <summary>The class of the node; empty when it is not known.</summary>
    public string NodeClass { get; init; } = "";

    /// <summary>The input of the node; empty when the problem is the node's.</summary>
    public string Input { get; init; } = "";

    /// <summary>What is wrong, as a clause without a full stop.</summary>
    public required string Reason { get; init; }

    /// <summary>What to do about it, as a sentence; empty when nothing is known.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Place and reason: <c>node 6 (LoadImage), input image: ...</c>.</summary>
    public override string ToString()
    {
        var node = NodeId.Length == 0 ? "" : $"node {NodeId}{(NodeClass.Length == 0 ? "" : $" ({NodeClass})")}";
        var input = Input.Length == 0 ? "" : $"{(node.Length == 0 ? "" : ", ")}input {Input}";
        return node.Length + input.Length == 0 ? Reason : $"{node}{input}: {Reason}";
    }
}
