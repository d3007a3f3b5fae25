namespace ComfyAuth.Docker;

/// <summary>A port of a container.</summary>
/// <param name="PrivatePort">The port in the container.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="HostAddress">The address on the engine's machine; empty means all of them, where it is published.</param>
/// <param name="PublicPort">The port there; null when it is not published, or the engine chooses it at the start.</param>
public sealed record ContainerPort(int PrivatePort, string Protocol, string HostAddress, int? PublicPort);
