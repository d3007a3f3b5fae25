namespace ComfyAuth.Comfy;

/// <summary>A file that a node of a prompt gave out.</summary>
/// <param name="Node">The id of the node.</param>
/// <param name="File">The file.</param>
public sealed record ComfyOutput(string Node, ComfyFile File);
