using System.Net;
using System.Net.Sockets;

namespace ComfyAuth.Tests;

/// <summary>A port of 127.0.0.1 that refuses connections: it is taken, so that nobody else gets it, and nobody listens.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Takes a port.</summary>
    /// <param name="number">The port; 0: one that is free.</param>
    public ClosedPort(int number = 0) => _socket.Bind(new IPEndPoint(IPAddress.Loopback, number));

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();
}
