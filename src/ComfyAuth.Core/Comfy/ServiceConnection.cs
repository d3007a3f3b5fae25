using System.Net;
using System.Net.Sockets;

namespace ComfyAuth.Comfy;

/// <summary>
/// Connects to a name that has several addresses: the next is tried when one fails, and at the latest a quarter of a second after
/// the one before (RFC 8305).
/// </summary>
/// <remarks>
/// <c>localhost</c> is ::1 first and 127.0.0.1 second, and services listen on the second only. On Windows, a port of ::1 with
/// nothing behind it takes two seconds to say so.
/// </remarks>
internal static class ServiceConnection
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    /// <summary>Opens a connection to a name.</summary>
    public static async Task<Stream> OpenAsync(DnsEndPoint target, CancellationToken stop)
    {
        // Where the system cannot cancel a lookup, it is left alone.
        var addresses = await Dns.GetHostAddressesAsync(target.Host, stop).WaitAsync(stop).ConfigureAwait(false);
        return await OpenAsync(addresses, target.Port, stop).ConfigureAwait(false);
    }

    /// <summary>Opens a connection to the first address that accepts one; throws the first error when none does.</summary>
    internal static async Task<Stream> OpenAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken stop)
    {
        var waiting = new Queue<IPAddress>(addresses.All(IPAddress.IsLoopback) ? addresses.OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork) : addresses);
        List<Task<Socket>> attempts = [];
        SocketException? failure = null;
        using var won = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            while (waiting.Count > 0 || attempts.Count > 0)
            {
                if (waiting.TryDequeue(out var address))
                    attempts.Add(ConnectAsync(new(address, port), won.Token));
                var ended = await Task.WhenAny(attempts.Append(Task.Delay(waiting.Count > 0 ? HeadStart : Timeout.InfiniteTimeSpan, won.Token))).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                if (ended is not Task<Socket> attempt)
                    continue;

                attempts.Remove(attempt);
                try
                {
                    return new NetworkStream(await attempt.ConfigureAwait(false), ownsSocket: true);
                }
                catch (SocketException error)
                {
                    failure ??= error;
                }
            }

            throw failure ?? new SocketException((int)SocketError.HostNotFound);
        }
        finally
        {
            await won.CancelAsync().ConfigureAwait(false);
            foreach (var attempt in attempts)
                await DiscardAsync(attempt).ConfigureAwait(false);
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address, CancellationToken stop)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, stop).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task DiscardAsync(Task<Socket> attempt)
    {
        try
        {
            (await attempt.ConfigureAwait(false)).Dispose();
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // It lost either way.
        }
    }
}
