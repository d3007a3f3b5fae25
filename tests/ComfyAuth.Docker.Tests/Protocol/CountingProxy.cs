using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace ComfyAuth.Tests.Docker;

/// <summary>A Unix socket in front of an engine's that notes the first line of each request.</summary>
public sealed class CountingProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _closing = new();
    private readonly string _engine;
    private readonly Task _accepting;

    public CountingProxy(string engine)
    {
        _engine = engine;
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"comfyauth-{Guid.NewGuid():N}.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(64);
        _accepting = AcceptAsync();
    }

    public string Path { get; }

    public ConcurrentQueue<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        File.Delete(Path);
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptAsync(_closing.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await server.ConnectAsync(new UnixDomainSocketEndPoint(_engine));
        using (socket)
            await Task.WhenAny(CopyAsync(socket, server, note: true), CopyAsync(server, socket, note: false));
    }

    private async Task CopyAsync(Socket from, Socket to, bool note)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _closing.Token) is > 0 and var length)
            {
                // Ours are short and without a body: each comes in one piece.
                if (note)
                    Requests.Enqueue(Encoding.ASCII.GetString(buffer, 0, length).Split("\r\n")[0]);
                await to.SendAsync(buffer.AsMemory(0, length), _closing.Token);
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has gone.
        }
    }
}
