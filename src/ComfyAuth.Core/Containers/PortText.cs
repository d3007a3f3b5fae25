using System.Globalization;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Ports as <c>docker ps</c> writes them.</summary>
internal static class PortText
{
    public static string Of(ContainerPort port)
    {
        var address = port.HostAddress.Length == 0 ? "0.0.0.0" : port.HostAddress.Contains(':', StringComparison.Ordinal) ? $"[{port.HostAddress}]" : port.HostAddress;
        return port.PublicPort is { } published
            ? string.Create(CultureInfo.InvariantCulture, $"{address}:{published}->{port.PrivatePort}/{port.Protocol}")
            : string.Create(CultureInfo.InvariantCulture, $"{port.PrivatePort}/{port.Protocol}");
    }
}
