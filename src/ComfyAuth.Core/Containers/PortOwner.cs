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
    /// Another container that answers at the address of a service instead of the service's own one: that has ports of this machine,
    /// and none of them is the address's. One without any is reached through another, such as a reverse proxy.
    /// </summary>
    /// <param name="url">The address.</param>
    /// <param name="id">The service's own container.</param>
    /// <param name="ports">Its ports.</param>
    /// <param name="all">All containers.</param>
    public static ContainerSummary? OfAddress(Uri url, string id, IReadOnlyList<ContainerPort> ports, IEnumerable<ContainerSummary> all)
    {
        var published = ports.Where(port => port.PublicPort is not null && port.Protocol == Tcp).ToList();
        return url.IsLoopback && published.Count > 0 && published.TrueForAll(port => port.PublicPort != url.Port) ? Of(url.Port, id, all) : null;
    }
}
