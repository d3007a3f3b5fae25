namespace ComfyAuth.Guidance;

/// <summary>A document or folder that was not searched, or not all of it.</summary>
/// <param name="Path">Where it is, relative to the root, with <c>/</c> between folders.</param>
/// <param name="Reason">Why, as a sentence. Holds no secret.</param>
public sealed record GuidanceGap(string Path, string Reason);
