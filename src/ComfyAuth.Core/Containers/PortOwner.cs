using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Tells which container has a port of this machine.</summary>
internal static class PortOwner
{
    private const string Tcp = "tcp";

    /// <summary>Another container that has a port of this machine now.</summary>
    /// <param name="port">The port.</param>
    /// <param name="id">The container that asks; null: none.</param>
    /// <param name="all">All containers.</param>
    public static ContainerSummary? Of(int port, string? id, IEnumerable<ContainerSummary> all) => all.FirstOrDefault(other =>
        other.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting
        && other.Id != id
        && other.Ports.Any(taken => taken.PublicPort == port && taken.Protocol == Tcp));

    /// <summary>
    /// Whether the address of a service on this machine is not its container's: that has ports of this machine, and none of them is the
    /// address's. Whoever answers there is somebody else. A container without any port is reached through another, such as a reverse proxy.
    /// </summary>
    /// <param name="url">The address.</param>
    /// <param name="ports">The ports of the service's own container.</param>
    public static bool IsOfAnother(Uri url, IReadOnlyList<ContainerPort> ports)
    {
        var published = ports.Where(port => port.PublicPort is not null && port.Protocol == Tcp).ToList();
        return url.IsLoopback && published.Count > 0 && published.TrueForAll(port => port.PublicPort != url.Port);
    }
}
