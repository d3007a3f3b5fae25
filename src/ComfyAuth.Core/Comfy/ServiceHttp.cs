using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ComfyAuth.Comfy;

/// <summary>
/// How services are spoken to: redirects are not followed, since a login page answers 200; no proxy and no cookie container
/// of the process takes part; heads are bounded.
/// </summary>
internal static class ServiceHttp
{
    private const int LargestHeadInKilobytes = 64;
    private const int LargestDrainedBody = 16 * 1024;

    /// <summary>Makes a client without a timeout of its own.</summary>
    /// <param name="ended">Ends connections that are still being made: they do not outlive the client.</param>
    public static HttpClient Client(CancellationToken ended) => new(Handler(ended)) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Makes what the client speaks through, and a websocket too.</summary>
    /// <param name="ended">Ends connections that are still being made.</param>
    public static SocketsHttpHandler Handler(CancellationToken ended) => new()
    {
        ConnectCallback = async (context, stop) =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, ended);
            return await ServiceConnection.OpenAsync(context.DnsEndPoint, either.Token).ConfigureAwait(false);
        },
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        MaxResponseHeadersLength = LargestHeadInKilobytes,

        // A short body is read to its end, so that the next question needs no new connection.
        MaxResponseDrainSize = LargestDrainedBody,

        // Servers close an idle connection too, and a question that meets that fails.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>Whether an exception is a connection's.</summary>
    public static bool IsFailure(Exception error) => error is HttpRequestException or IOException or SocketException;

    /// <summary>Whether an answer sends its asker to the login page.</summary>
    /// <param name="address">What was asked.</param>
    /// <param name="location">Where the answer leads; null: nowhere.</param>
    public static bool IsLogin(Uri address, Uri? location) =>
        location is not null && Uri.TryCreate(address, location, out var target) && target.AbsolutePath.EndsWith("/login", StringComparison.Ordinal);

    /// <summary>What went wrong with a connection.</summary>
    /// <param name="error">What <see cref="IsFailure"/> says yes to.</param>
    /// <param name="address">What was asked.</param>
    /// <returns>What happened, as a clause; and whether the question could get to the service at all.</returns>
    public static (string What, bool IsReachable) Describe(Exception error, Uri address)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException socket:
                    return Describe(socket.SocketErrorCode, address);
                case AuthenticationException:
                    return ($"TLS failed: {cause.Message.TrimEnd('.')}", false);
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return ("an empty reply", true);
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }:
                    return ("an answer that is not HTTP", true);
                case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } or HttpIOException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                    return ($"an answer with more than {LargestHeadInKilobytes} KB of headers", true);
            }
        }

        return ("the connection broke", true);
    }

    private static (string What, bool IsReachable) Describe(SocketError error, Uri address) => error switch
    {
        SocketError.ConnectionRefused => ("connection refused", true),
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => ("the connection was reset", true),
        SocketError.TimedOut => ("no answer", true),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => ($"the name '{address.IdnHost}' is not known", false),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => ($"there is no way to '{address.IdnHost}'", false),
        _ => ($"the connection failed ({error})", true),
    };
}
