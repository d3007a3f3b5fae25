namespace ComfyAuth.Comfy;

/// <summary>A workflow that a ComfyUI has taken into its queue.</summary>
public sealed record ComfyPrompt
{
    /// <summary>The id that the server gave it.</summary>
    public required string Id { get; init; }

    /// <summary>Its number in the queue; null when the server does not tell.</summary>
    public double? Number { get; init; }

    /// <summary>What the server will not run of it, though it runs the rest.</summary>
    public IReadOnlyList<ComfyWorkflowProblem> Warnings { get; init; } = [];

    /// <summary>The server tells what happens to it to whoever connects under this id.</summary>
    internal string ClientId { get; init; } = Guid.NewGuid().ToString("N");
}
