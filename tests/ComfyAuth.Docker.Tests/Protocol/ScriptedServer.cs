using System.Net.Sockets;
using System.Text;

namespace ComfyAuth.Tests.Docker;

/// <summary>A server on a Unix socket that answers as the test says, with HTTP or with anything else.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    public const string Ping = "HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK";

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<string, Stream, CancellationToken, Task<bool>> _answer;
    private readonly Task _accepting;
    private int _connections;
    private int _requests;

    /// <summary>Answers in any way.</summary>
    /// <param name="answer">Gets the first line of a request and the connection; says whether to keep the connection.</param>
    public ScriptedServer(Func<string, Stream, CancellationToken, Task<bool>> answer)
    {
        _answer = answer;
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"comfyauth-{Guid.NewGuid():N}.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(64);
        _accepting = AcceptAsync();
    }

    /// <summary>Answers a ping as an engine, and everything else with the same text.</summary>
    public ScriptedServer(Func<string, string> answer)
        : this(async (request, connection, stop) =>
        {
            await connection.WriteAsync(Encoding.UTF8.GetBytes(request.Contains("/_ping", StringComparison.Ordinal) ? Ping : answer(request)), stop);
            return true;
        })
    {
    }

    public string Path { get; }

    public int Connections => _connections;

    public int Requests => _requests;

    public static string Json(string body, string status = "200 OK") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

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
            {
                var socket = await _listener.AcceptAsync(_closing.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(socket));
                serving.RemoveAll(task => task.IsCompleted);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var connection = new NetworkStream(socket, ownsSocket: true);
        try
        {
            while (await ReadRequestAsync(connection) is { } request)
            {
                Interlocked.Increment(ref _requests);
                if (!await _answer(request, connection, _closing.Token))
                    return;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The client has gone, or the test has ended.
        }
    }

    private async Task<string?> ReadRequestAsync(NetworkStream connection)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await connection.ReadAsync(one, _closing.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n");
        var length = lines.FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        if (length is not null)
            await connection.ReadExactlyAsync(new byte[int.Parse(length[15..])], _closing.Token);
        return lines[0];
    }
}
