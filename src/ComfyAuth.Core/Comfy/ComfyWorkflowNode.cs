using System.Text.Json.Nodes;

namespace ComfyAuth.Comfy;

/// <summary>A node of a workflow.</summary>
/// <param name="Id">Its id, unique in the workflow.</param>
/// <param name="Class">The name of its class.</param>
/// <param name="Title">The title that its author gave it; empty where there is none.</param>
public sealed record ComfyWorkflowNode(string Id, string Class, string Title)
{
    internal JsonObject Inputs { get; init; } = [];

    /// <summary>The names of its inputs, linked ones among them.</summary>
    public IReadOnlyList<string> InputNames => [.. Inputs.Select(input => input.Key)];
}
