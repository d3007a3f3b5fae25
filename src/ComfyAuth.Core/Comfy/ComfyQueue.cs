namespace ComfyAuth.Comfy;

/// <summary>The prompts that a ComfyUI runs and has before it.</summary>
/// <param name="Running">The ids of those that run; one at most, in all known versions.</param>
/// <param name="Pending">The ids of those that wait, the next one first.</param>
public sealed record ComfyQueue(IReadOnlyList<string> Running, IReadOnlyList<string> Pending);
