using System.Text;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>A use of the client and a way in which the answer is spoilt, both chosen by a seed.</summary>
public sealed class Fault(int seed)
{
    private const string Container = """{"Id":"0123456789ab","Name":"/c","State":{"Status":"running","ExitCode":0,"StartedAt":"2026-01-02T03:04:05.123456789Z"},"Config":{"Env":["A=1"],"Tty":false}}""";
    private readonly Random _random = new(seed);

    private int Use { get; } = seed % 8;

    private int Kind { get; } = seed / 8 % 10;

    /// <summary>Uses the client and says what came of it; what is no error of ours is not caught.</summary>
    public async Task<string> UseAsync(DockerClient client, CancellationToken stop)
    {
        try
        {
            switch (Use)
            {
                case 0: await client.ListContainersAsync(stop: stop); break;
                case 1: await client.InspectContainerAsync("c", stop); break;
                case 2: await DrainAsync(client.LogsAsync("c", new() { Tty = false }, stop)); break;
                case 3: await client.StatsAsync("c", stop); break;
                case 4: await DrainAsync(client.EventsAsync(new() { Until = DateTimeOffset.UtcNow }, stop), stop); break;
                case 5: await client.ReadFileAsync("c", "/x", stop: stop); break;
                case 6: await client.TopAsync("c", stop); break;
                default: await client.VersionAsync(stop); break;
            }

            return "none";
        }
        catch (DockerException error)
        {
            return error.Code;
        }
        catch (OperationCanceledException) when (Use == 4 && !stop.IsCancellationRequested)
        {
            return "cancelled by the test";
        }
    }

    public async Task<bool> AnswerAsync(string request, Stream connection, CancellationToken stop)
    {
        var isPing = request.Contains("_ping", StringComparison.Ordinal);

        // One in eight spoils the ping too.
        if (isPing && seed % 64 >= 8)
        {
            await connection.WriteAsync(Encoding.ASCII.GetBytes(ScriptedServer.Ping), stop);
            return true;
        }

        var answer = isPing ? Encoding.ASCII.GetBytes(ScriptedServer.Ping) : Good();
        switch (Kind)
        {
            case 0:
                await connection.WriteAsync(answer.AsMemory(0, _random.Next(answer.Length)), stop);
                return false;
            case 1:
                for (var flips = _random.Next(1, 20); flips > 0; flips--)
                    answer[_random.Next(answer.Length)] = (byte)_random.Next(256);
                await connection.WriteAsync(answer, stop);
                return false;
            case 2:
                _random.NextBytes(answer);
                await connection.WriteAsync(answer, stop);
                return false;
            case 3:
                return false;
            case 4:
                await connection.WriteAsync(answer.AsMemory(0, _random.Next(answer.Length)), stop);
                await Task.Delay(Timeout.Infinite, stop);
                return false;
            case 5:
                var flood = new byte[64 * 1024];
                Array.Fill(flood, (byte)_random.Next(256));
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\n\r\n"u8.ToArray(), stop);
                while (true)
                    await connection.WriteAsync(flood, stop);
            case 6:
                await connection.WriteAsync(Encoding.ASCII.GetBytes(ScriptedServer.Json(new string('[', 100_000))), stop);
                return true;
            case 7:
                await connection.WriteAsync(Encoding.ASCII.GetBytes(ScriptedServer.Json(_random.Next(2) == 0 ? "null" : "[[[1]]]")), stop);
                return true;
            case 8:
                await connection.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stop);
                var header = Encoding.ASCII.GetBytes($"X-Noise: {new string('n', 1000)}\r\n");
                while (true)
                    await connection.WriteAsync(header, stop);
            default:
                await connection.WriteAsync(Encoding.ASCII.GetBytes(ScriptedServer.Json("{", $"{_random.Next(100, 600)} Odd")), stop);
                return true;
        }
    }

    private static async Task DrainAsync<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items)
        {
        }
    }

    // A stream of events may be endless: this is how its user ends it.
    private static async Task DrainAsync<T>(IAsyncEnumerable<T> items, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromMilliseconds(500));
        await foreach (var _ in items.WithCancellation(deadline.Token))
        {
        }
    }

    private byte[] Good() => Use switch
    {
        0 => Encoding.ASCII.GetBytes(ScriptedServer.Json($"[{Container},{Container}]")),
        2 => [.. "HTTP/1.1 200 OK\r\n\r\n"u8, .. Enumerable.Range(0, 20).SelectMany(_ => (byte[])[1, 0, 0, 0, 0, 0, 0, 5, .. "line\n"u8])],
        4 => Encoding.ASCII.GetBytes(ScriptedServer.Json("""{"Type":"container","Action":"start","Actor":{"ID":"1","Attributes":{"name":"c"}},"timeNano":1795353958527816596}""" + "\n")),
        5 => Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: " + Convert.ToBase64String("""{"name":"x","size":1,"mode":420}"""u8) + "\r\nContent-Length: 1024\r\n\r\n" + new string('\0', 1024)),
        _ => Encoding.ASCII.GetBytes(ScriptedServer.Json(Container)),
    };
}
