namespace ComfyAuth.Comfy;

/// <summary>A file that a workflow gave out, and that was brought here.</summary>
public sealed record ComfyImage
{
    /// <summary>Where it lies now.</summary>
    public required string Path { get; init; }

    /// <summary>Pixels in a row; 0 when not known.</summary>
    public int Width { get; init; }

    /// <summary>Rows; 0 when not known.</summary>
    public int Height { get; init; }

    /// <summary>How long the workflow ran, in seconds; time in the queue is not counted where the server tells.</summary>
    public double Seconds { get; init; }

    /// <summary>Whether it was there already from an earlier run, because nothing that it depends on has changed.</summary>
    public bool IsCached { get; init; }

    /// <summary>The id of the node that gave it out.</summary>
    public required string Node { get; init; }

    /// <summary>The id of the prompt.</summary>
    public required string PromptId { get; init; }

    /// <summary>The seed of the workflow; null when it has none.</summary>
    public long? Seed { get; init; }

    /// <summary>The workflow: its file, or "the workflow".</summary>
    public required string Workflow { get; init; }

    /// <summary>What is the matter with the picture, as sentences: that it is one colour, or noise, or cannot be decoded; empty when nothing is.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
