namespace ComfyAuth.Docker;

/// <summary>A line of a container's log.</summary>
/// <param name="Stream">Where it was written to.</param>
/// <param name="Timestamp">When the engine took it; null when it was not asked for or is not there.</param>
/// <param name="Text">The line without its end; it can hold secrets. What is not UTF-8 has become U+FFFD; so has a
/// character at each 16 KiB of a line under the log driver <c>json-file</c>, which spoils it when it writes.</param>
public sealed record ContainerLogLine(ContainerLogStream Stream, DateTimeOffset? Timestamp, string Text);
