using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>
/// Asks a service whether it is live, protected and ready. Redirects are not followed, since a login page answers 200; the token
/// is sent only to the service's own address, and only where it asks for one. Keeps nothing between two questions, so that a
/// connection to a container that is gone deceives nobody. Safe for concurrent use.
/// </summary>
public sealed class ServiceProber
{
    private const int LargestHeadInKilobytes = 64;
    private const int LargestDrainedBody = 16 * 1024;

    /// <summary>How long one question may take; there are two where the service asks for a token.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Asks.</summary>
    /// <param name="service">The service.</param>
    /// <param name="token">Its bearer token; null when none is known.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The readings; a service that does not answer is a reading, not an error.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<ServiceReadings> ProbeAsync(ServiceDefinition service, BcryptHash? token, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (AddressOf(service) is not { } address)
            return new() { Answer = "not asked, because url and health path make no http address" };

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var client = Client(ended.Token);
        try
        {
            var first = await AskAsync(client, address, null, stop).ConfigureAwait(false);
            if (first.Status is not { } status)
                return new() { IsLive = first.IsReachable ? false : null, IsReady = first.IsReachable ? false : null, Answer = first.What };

            var readings = new ServiceReadings { IsLive = true, IsReady = IsFine(status), Status = status, Answer = first.What };
            if (service.Auth == AuthKind.None)
                return readings;
            if (!first.IsRefusal)
                return readings with { IsProtected = IsFine(status) ? false : null };

            readings = readings with { IsProtected = true, IsReady = null, Answer = $"{first.What} without a token" };
            if (token is not { IsDefault: false } known)
                return readings;

            var second = await AskAsync(client, address, known, stop).ConfigureAwait(false);
            return readings with { TokenStatus = second.Status, IsReady = IsFine(second.Status), Answer = $"{readings.Answer}, {second.What} with ours" };
        }
        finally
        {
            // A connection that is still being made does not outlive the question.
            await ended.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The address of the health path, at the host and port of the service whatever the path says.</summary>
    internal static Uri? AddressOf(ServiceDefinition service)
    {
        if (!service.Url.IsAbsoluteUri || service.Url.Scheme is not ("http" or "https"))
            return null;

        var root = service.Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        return Uri.TryCreate($"{root.TrimEnd('/')}/{service.HealthPath.TrimStart('/')}", UriKind.Absolute, out var address)
            && Uri.Compare(address, service.Url, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0
            ? address
            : null;
    }

    internal static HttpClient Client(CancellationToken ended)
    {
        var handler = new SocketsHttpHandler
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

            // The status is all that is wanted. A short body is read so that the second question needs no second connection.
            MaxResponseDrainSize = LargestDrainedBody,
        };
        return new(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    private static bool IsFine(int? status) => status is >= 200 and <= 299;

    private async Task<Reply> AskAsync(HttpClient client, Uri address, BcryptHash? token, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);

            // A browser would be sent to the login page.
            request.Headers.Accept.Add(new("application/json"));
            if (token is { } known)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", known.Reveal());
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            return Answered(response, address);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // A cancelled connection fails in many ways.
            throw new OperationCanceledException(stop);
        }
        catch (OperationCanceledException)
        {
            return new(string.Create(CultureInfo.InvariantCulture, $"no answer within {Timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return Failed(error, address);
        }
    }

    internal static Reply Answered(HttpResponseMessage response, Uri address)
    {
        var status = (int)response.StatusCode;
        var what = status.ToString(CultureInfo.InvariantCulture);
        if (status is 401 or 403)
            return new(what) { Status = status, IsRefusal = true };
        if (status is < 300 or > 399 || response.Headers.Location is not { } location)
            return new(what) { Status = status };

        // Where else it leads is not told: an address can hold a secret.
        var isLogin = Uri.TryCreate(address, location, out var target) && target.AbsolutePath.EndsWith("/login", StringComparison.Ordinal);
        return new($"{what} to {(isLogin ? "its login page" : "another address")}") { Status = status, IsRefusal = isLogin };
    }

    internal static Reply Failed(Exception error, Uri address)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException socket:
                    return Failed(socket.SocketErrorCode, address);
                case AuthenticationException:
                    return new($"TLS failed: {cause.Message.TrimEnd('.')}") { IsReachable = false };
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return new("an empty reply");
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }:
                    return new("an answer that is not HTTP");
                case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } or HttpIOException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                    return new($"an answer with more than {LargestHeadInKilobytes} KB of headers");
            }
        }

        return new("the connection broke");
    }

    private static Reply Failed(SocketError error, Uri address) => error switch
    {
        SocketError.ConnectionRefused => new("connection refused"),
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => new("the connection was reset"),
        SocketError.TimedOut => new("no answer"),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => new($"the name '{address.IdnHost}' is not known") { IsReachable = false },
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => new($"there is no way to '{address.IdnHost}'") { IsReachable = false },
        _ => new($"the connection failed ({error})"),
    };

    /// <summary>What came of one question.</summary>
    /// <param name="What">As a clause.</param>
    internal sealed record Reply(string What)
    {
        public int? Status { get; init; }

        /// <summary>Whether it asks for a token.</summary>
        public bool IsRefusal { get; init; }

        /// <summary>Whether the question could get to the service.</summary>
        public bool IsReachable { get; init; } = true;
    }
}
