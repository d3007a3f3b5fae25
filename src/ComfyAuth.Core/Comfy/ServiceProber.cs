using System.Globalization;
using System.Net.Http.Headers;
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
        using var client = ServiceHttp.Client(ended.Token);
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
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            var (what, isReachable) = ServiceHttp.Describe(error, address);
            return new(what) { IsReachable = isReachable };
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
        var isLogin = ServiceHttp.IsLogin(address, location);
        return new($"{what} to {(isLogin ? "its login page" : "another address")}") { Status = status, IsRefusal = isLogin };
    }

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
