using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ComfyAuth.Tests.Comfy;

/// <summary>A server on a free port of the loopback that answers as the test says, with HTTP or with anything else.</summary>
public sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<string, Socket, CancellationToken, Task<bool>> _answer;
    private readonly Task _accepting;

    /// <summary>Answers in any way.</summary>
    /// <param name="answer">Gets the head of a request and the connection; says whether to keep the connection.</param>
    /// <param name="address">Where to listen; null: 127.0.0.1.</param>
    public RawServer(Func<string, Socket, CancellationToken, Task<bool>> answer, IPAddress? address = null)
    {
        _answer = answer;
        _listener = new(address ?? IPAddress.Loopback, 0);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    /// <summary>Answers with texts.</summary>
    public RawServer(Func<string, string> answer, IPAddress? address = null)
        : this(
            async (request, connection, stop) =>
            {
                await connection.SendAsync(Encoding.Latin1.GetBytes(answer(request)), stop);
                return true;
            },
            address)
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Url => new($"http://127.0.0.1:{Port}");

    /// <summary>The heads of all requests.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public static string Status(string status, string headers = "") => $"HTTP/1.1 {status}\r\n{headers}Content-Length: 2\r\n\r\n{{}}";

    /// <summary>Ends a connection as the published port of a container does in which nobody listens.</summary>
    public static Task<bool> Reset(Socket connection)
    {
        connection.LingerState = new(true, 0);
        return Task.FromResult(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_closing.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using (connection)
        {
            try
            {
                while (await ReadHeadAsync(connection) is { } head)
                {
                    Requests.Enqueue(head);
                    if (!await _answer(head, connection, _closing.Token))
                        return;
                }
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // The client has gone, or the test has ended.
            }
        }
    }

    /// <summary>What was sent up to an empty line; the first bytes where they are no text, as those of TLS.</summary>
    private async Task<string?> ReadHeadAsync(Socket connection)
    {
        var head = "";
        var buffer = new byte[4096];
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var length = await connection.ReceiveAsync(buffer, _closing.Token);
            if (length == 0)
                return null;
            head += Encoding.Latin1.GetString(buffer, 0, length);
            if (head[0] < ' ')
                break;
        }

        return head;
    }
}
