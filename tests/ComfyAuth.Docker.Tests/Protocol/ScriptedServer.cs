using System.Net.Sockets;
using System.Text;

namespace ComfyAuth.Tests.Docker;

/// <summary>A server on a Unix socket that answers as the test says, with HTTP or with anything else.</summary>
/// <param name="answer">Gets the first line of a request and the connection; says whether to keep the connection.</param>
public sealed class ScriptedServer(Func<string, Stream, CancellationToken, Task<bool>> answer) : UnixServer
{
    public const string Ping = "HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK";

    private int _connections;
    private int _requests;

    /// <summary>Answers a ping as an engine, and everything else with the same text.</summary>
    public ScriptedServer(Func<string, string> answer)
        : this(async (request, connection, stop) =>
        {
            await connection.WriteAsync(Encoding.UTF8.GetBytes(request.Contains("/_ping", StringComparison.Ordinal) ? Ping : answer(request)), stop);
            return true;
        })
    {
    }

    public int Connections => _connections;

    public int Requests => _requests;

    public static string Json(string body, string status = "200 OK") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    protected override async Task ServeAsync(Socket connection, CancellationToken closing)
    {
        Interlocked.Increment(ref _connections);
        await using var stream = new NetworkStream(connection, ownsSocket: true);
        try
        {
            while (await ReadRequestAsync(stream, closing) is { } request)
            {
                Interlocked.Increment(ref _requests);
                if (!await answer(request, stream, closing))
                    return;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The client has gone, or the test has ended.
        }
    }

    private static async Task<string?> ReadRequestAsync(NetworkStream connection, CancellationToken closing)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await connection.ReadAsync(one, closing) == 0)
                return null;
            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n");
        var length = lines.FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        if (length is not null)
            await connection.ReadExactlyAsync(new byte[int.Parse(length[15..])], closing);
        return lines[0];
    }
}
