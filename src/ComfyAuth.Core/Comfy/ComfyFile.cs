namespace ComfyAuth.Comfy;

/// <summary>A file of a ComfyUI, as it names files: nothing of it is a path of this machine.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Subfolder">The folder below that of its type; empty for that folder itself.</param>
/// <param name="Type">The folder it lies in: <c>output</c>, <c>temp</c> or <c>input</c>.</param>
public sealed record ComfyFile(string Name, string Subfolder = "", string Type = "output");
