namespace ComfyAuth.Docker;

/// <summary>A process in a container.</summary>
/// <param name="ProcessId">Its number on the engine's machine.</param>
/// <param name="Elapsed">Since when it runs; null when the engine's <c>ps</c> does not say.</param>
/// <param name="Command">Its command line; it can hold secrets.</param>
public sealed record ContainerProcess(int ProcessId, TimeSpan? Elapsed, string Command);
