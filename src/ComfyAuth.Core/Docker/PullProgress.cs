namespace ComfyAuth.Docker;

/// <summary>A step of a pull.</summary>
/// <param name="LayerId">The layer, or the tag; empty for what concerns the whole image.</param>
/// <param name="Status">What happens, in the engine's words: <c>Downloading</c>, <c>Extracting</c>, <c>Pull complete</c>.</param>
/// <param name="CompletedBytes">How much of it is done; null when it is not counted.</param>
/// <param name="TotalBytes">How much there is to do; null when it is not known.</param>
public sealed record PullProgress(string LayerId, string Status, long? CompletedBytes, long? TotalBytes);
