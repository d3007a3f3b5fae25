using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>
/// Asks an API outside of the stack. Redirects are not followed, so that a key goes to the host that the stack names and to no other. An
/// https address is reached by the proxy that this machine is set up with, as the notebooks reach it: the proxy passes on what it cannot read.
/// An address of this machine is reached without.
/// </summary>
internal static class ApiProbe
{
    private const int LargestHeadInKilobytes = 64;

    /// <summary>How long one question may take.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(12);

    /// <summary>Asks.</summary>
    /// <param name="api">The API.</param>
    /// <param name="key">The key to send; null to send none.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The status; null where there is none. And what came, as a clause.</returns>
    public static async Task<(int? Status, string What)> AskAsync(ExternalApi api, string? key, CancellationToken stop)
    {
        if (AddressOf(api) is not { } address)
            return (null, "was not asked, because url and path make no address");

        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !api.Url.IsLoopback,
            ConnectTimeout = Timeout,
            MaxResponseHeadersLength = LargestHeadInKilobytes,
        };
        using var client = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ComfyAuth", null));
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Timeout);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            return (status, string.Create(CultureInfo.InvariantCulture, $"answers {status}"));
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // A cancelled connection fails in many ways.
            throw new OperationCanceledException(stop);
        }
        catch (OperationCanceledException)
        {
            return (null, $"does not answer within {Duration.Format(Timeout)}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or AuthenticationException)
        {
            return (null, Describe(error));
        }
    }

    private static Uri? AddressOf(ExternalApi api)
    {
        var root = api.Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        return Uri.TryCreate($"{root.TrimEnd('/')}/{api.Path.TrimStart('/')}", UriKind.Absolute, out var address)
            && Uri.Compare(address, api.Url, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0
            ? address
            : null;
    }

    private static string Describe(Exception error) => error switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "cannot be found: its name is not known here",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "makes no TLS connection that can be trusted",
        HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } => "cannot be reached: the proxy refuses",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "cannot be reached",
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => "answers with what is no HTTP",
        _ => "broke the connection",
    };
}
