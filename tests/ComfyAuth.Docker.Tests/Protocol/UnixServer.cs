using System.Net.Sockets;

namespace ComfyAuth.Tests.Docker;

/// <summary>A server on a Unix socket of its own.</summary>
public abstract class UnixServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _accepting;

    protected UnixServer()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(64);
        _accepting = AcceptAsync();
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"comfyauth-{Guid.NewGuid():N}.sock");

    /// <summary>Serves a connection and closes it.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="closing">The test has ended.</param>
    protected abstract Task ServeAsync(Socket connection, CancellationToken closing);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
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
                serving.Add(ServeAsync(await _listener.AcceptAsync(_closing.Token), _closing.Token));
                serving.RemoveAll(task => task.IsCompletedSuccessfully);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }
}
