namespace ComfyAuth.Docker;

/// <summary>Something mounted into a container.</summary>
/// <param name="Type"><c>bind</c>, <c>volume</c>, <c>tmpfs</c> and so on.</param>
/// <param name="Name">The name of a volume; empty otherwise.</param>
/// <param name="Source">The path on the engine's machine.</param>
/// <param name="Destination">The path in the container.</param>
/// <param name="ReadOnly">Whether the container cannot write to it.</param>
public sealed record ContainerMount(string Type, string Name, string Source, string Destination, bool ReadOnly);
