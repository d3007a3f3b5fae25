using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace ComfyAuth.Tests.Docker;

/// <summary>A Unix socket in front of an engine's that notes the first line of each request.</summary>
public sealed class CountingProxy(string engine) : UnixServer
{
    public ConcurrentQueue<string> Requests { get; } = [];

    protected override async Task ServeAsync(Socket connection, CancellationToken closing)
    {
        using (connection)
        {
            using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            server.Connect(new UnixDomainSocketEndPoint(engine));
            await Task.WhenAny(CopyAsync(connection, server, note: true, closing), CopyAsync(server, connection, note: false, closing));
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool note, CancellationToken closing)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, closing) is > 0 and var length)
            {
                // Ours are short and without a body: each comes in one piece.
                if (note)
                    Requests.Enqueue(Encoding.ASCII.GetString(buffer, 0, length).Split("\r\n")[0]);
                await to.SendAsync(buffer.AsMemory(0, length), closing);
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has gone.
        }
    }
}
