namespace ComfyAuth.Comfy;

/// <summary>How a workflow is run.</summary>
public sealed record ComfyWorkflowOptions
{
    /// <summary>Inputs to set before, as <see cref="ComfyWorkflow.With"/> takes them. A file of this machine that is given for a picture to load is uploaded.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Inputs { get; init; } = [];

    /// <summary>The folder that the results are saved in; it is made where there is none, and no file in it is overwritten.</summary>
    public required string OutFolder { get; init; }

    /// <summary>The folder that the names of local pictures are relative to; null: the current one.</summary>
    public string? LocalFolder { get; init; }

    /// <summary>How long it may wait in the queue and run.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(30);
}
