namespace ComfyAuth.Docker;

/// <summary>An image on the engine's machine.</summary>
/// <param name="Id">The identifier, <c>sha256:...</c>.</param>
/// <param name="Tags">Its names, such as <c>python:3.11</c>; empty for an image that has lost them.</param>
/// <param name="SizeInBytes">Its size, layers shared with others included.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record ImageSummary(string Id, IReadOnlyList<string> Tags, long SizeInBytes, DateTimeOffset? CreatedAt);
