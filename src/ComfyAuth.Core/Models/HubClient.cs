using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Comfy;
using ComfyAuth.Secrets;

namespace ComfyAuth.Models;

/// <summary>
/// Asks a model hub. The token goes to the hub's own address only: redirects are followed by hand, and none leads from https to http.
/// </summary>
/// <remarks>Over HTTP/1.1, so that each part of a file has a connection of its own. A proxy of the environment is used.</remarks>
internal sealed partial class HubClient : IDisposable
{
    private const int MostRedirects = 10;
    private const int LargestDrainedBody = 64 * 1024;
    private const int LongestRefusal = 1024;

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly TimeSpan _stallTimeout;
    private readonly SecretText? _token;
    private volatile bool _isTokenRefused;

    public HubClient(ModelDownloadOptions options, SecretRedactor redactor, TimeProvider time)
    {
        Endpoint = EndpointOf(options.Endpoint);
        (_time, _stallTimeout, _token) = (time, options.StallTimeout, options.Token);
        if (_token is not null)
        {
            redactor.Register(_token);
            if (!TokenText().IsMatch(_token.Reveal()))
                throw new ComfyAuthException("HubTokenInvalid", "The token of the model hub holds a space, a line break or another character that no token has.", "Copy it again from the settings of the hub.");
        }

        _http = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = options.StallTimeout,

                // The hub has addresses of IPv6, and there are machines where none of these leads anywhere.
                ConnectCallback = async (context, stop) => await ServiceConnection.OpenAsync(context.DnsEndPoint, stop).ConfigureAwait(false),
                MaxResponseDrainSize = LargestDrainedBody,
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            },
            disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ComfyAuth", typeof(HubClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.AcceptEncoding.Add(new("identity"));
    }

    /// <summary>The address of the hub; ends in a slash.</summary>
    public Uri Endpoint { get; }

    // Whoever is on the way reads a token that travels in the clear.
    private bool MayCarryToken => Endpoint.Scheme == Uri.UriSchemeHttps || Endpoint.IsLoopback;

    // What the hub does not know is not sent again: it refuses even public files to it.
    private SecretText? Token => MayCarryToken && !_isTokenRefused ? _token : null;

    /// <summary>Asks what and where a file is.</summary>
    /// <param name="file">The file.</param>
    /// <param name="note">Is told what the user should know.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">The hub does not give it.</exception>
    public async Task<RemoteFile> ResolveAsync(HubFile file, Action<string> note, CancellationToken stop)
    {
        if (_token is not null && !MayCarryToken)
            note($"The token was not sent, because {Endpoint.Host} is reached without encryption.");
        var token = Token;
        var wasRefused = _isTokenRefused;
        var (response, address) = await AskAsync(file, token, stop).ConfigureAwait(false);
        if (!IsOfHub(address))
            token = null;
        if (response.StatusCode == HttpStatusCode.Unauthorized && token is not null)
        {
            response.Dispose();
            (response, address) = await AskAsync(file, null, stop).ConfigureAwait(false);
            (token, wasRefused) = (null, true);
        }

        using (response)
        {
            if (HubErrors.IsTransient(response.StatusCode))
                throw HubErrors.Busy(response, address, _time.GetUtcNow());
            var isRedirect = Redirect(response, address) is not null;
            if (!isRedirect && !response.IsSuccessStatusCode)
                throw HubErrors.Refusal(response, file, Endpoint, token is not null, wasRefused);
            if (!isRedirect && HubErrors.IsPage(response, file))
                throw HubErrors.Invalid(address, HubErrors.Page);
            if (wasRefused)
            {
                _isTokenRefused = true;
                note("The hub does not know the token that was sent (it may have expired or been revoked); the file is public and was had without it.");
            }

            var remote = Describe(response, address);

            // A mirror that leaves out the size, or what tells one content from another, says it with the first byte, or its storage does.
            return remote.Size is null || (remote.IsStored && remote.Tag is null) ? await ProbeAsync(remote, stop).ConfigureAwait(false) : remote;
        }
    }

    /// <summary>Asks for a range of a file, or for all of it; the answer is judged by whoever reads it.</summary>
    /// <param name="remote">The file.</param>
    /// <param name="from">The first byte.</param>
    /// <param name="to">The byte after the last; null: all of the file.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<HttpResponseMessage> OpenAsync(RemoteFile remote, long from, long? to, CancellationToken stop)
    {
        var (response, _) = await FollowAsync(
            HttpMethod.Get,
            remote.Address,
            remote.IsStored ? null : Token,
            request =>
            {
                if (to is not { } end)
                    return;
                request.Headers.Range = new(from, end - 1);

                // A weak tag does not say that the bytes are the same.
                if (EntityTagHeaderValue.TryParse(remote.ServerTag, out var tag) && !tag.IsWeak)
                    request.Headers.IfRange = new(tag);
            },
            staysWithHub: false,
            stop).ConfigureAwait(false);
        return response;
    }

    /// <summary>The beginning of what a refusal says; empty where it says nothing in time, or no text.</summary>
    /// <param name="response">The refusal.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<string> ReadTextAsync(HttpResponseMessage response, CancellationToken stop)
    {
        if (response.Content.Headers.ContentType?.MediaType is not ("text/plain" or "text/xml" or "application/xml"))
            return "";
        using var stalled = new CancellationTokenSource(_stallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stalled.Token);
        try
        {
            var bytes = new byte[LongestRefusal];
            var body = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            return Encoding.ASCII.GetString(bytes, 0, await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, either.Token).ConfigureAwait(false));
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error) || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return "";
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Where an answer leads; null: nowhere.</summary>
    internal static Uri? Redirect(HttpResponseMessage response, Uri address) =>
        response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        && response.Headers.Location is { } location && Uri.TryCreate(address, location, out var target) ? target : null;

    private static Uri EndpointOf(Uri? given)
    {
        var fromVariable = given is null;
        if (given is null)
        {
            var text = Environment.GetEnvironmentVariable(ModelDownloadOptions.EndpointVariable) is { Length: > 0 } set ? set : "https://huggingface.co";
            _ = Uri.TryCreate(text, UriKind.Absolute, out given);
        }

        var where = fromVariable ? $"The address of the model hub in {ModelDownloadOptions.EndpointVariable}" : "The address of the model hub";
        if (given is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            throw new ComfyAuthException("HubEndpointInvalid", $"{where} is no http or https address.", "Give one like https://huggingface.co.");

        // What stands there may be a secret.
        if (given.UserInfo.Length > 0 || given.Query.Length > 0 || given.Fragment.Length > 0)
            throw new ComfyAuthException("HubEndpointInvalid", $"{where} holds more than host, port and path.", "Give it without user name, '?' and '#'.");
        return new(HubErrors.Shown(given).TrimEnd('/') + "/");
    }

    /// <summary>Asks the hub about a file and stays with it: the address of a storage is taken, not asked.</summary>
    private async Task<(HttpResponseMessage Response, Uri Address)> AskAsync(HubFile file, SecretText? token, CancellationToken stop)
    {
        var (response, address) = await FollowAsync(HttpMethod.Head, file.At(Endpoint), token, _ => { }, staysWithHub: true, stop).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented))
            return (response, address);

        // A mirror that knows no HEAD: of a GET only the head is read.
        response.Dispose();
        return await FollowAsync(HttpMethod.Get, address, token, _ => { }, staysWithHub: true, stop).ConfigureAwait(false);
    }

    private async Task<(HttpResponseMessage Response, Uri Address)> FollowAsync(
        HttpMethod method, Uri address, SecretText? token, Action<HttpRequestMessage> prepare, bool staysWithHub, CancellationToken stop)
    {
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            var response = await SendAsync(method, address, IsOfHub(address) ? token : null, prepare, stop).ConfigureAwait(false);
            if (Redirect(response, address) is not { } next)
                return (response, address);
            if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
            {
                response.Dispose();
                throw new ComfyAuthException("HubRedirectRefused", $"{HubErrors.Shown(address)} leads from {address.Scheme} to {next.Scheme}.", "Such a redirect is not followed, since anybody on the way could change the file. Check HF_ENDPOINT and the proxy.");
            }

            if (staysWithHub && !IsOfHub(next) && !IsOfAnotherHub(next))
                return (response, address);
            response.Dispose();
            address = next;
        }

        throw HubErrors.Invalid(address, $"it redirects more than {MostRedirects} times");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, SecretText? token, Action<HttpRequestMessage> prepare, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, address);
        prepare(request);
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token.Reveal());
        using var stalled = new CancellationTokenSource(_stallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stalled.Token);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw HubErrors.Stalled(address, _stallTimeout);
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            throw HubErrors.Failure(error, address);
        }
    }

    private static RemoteFile Describe(HttpResponseMessage response, Uri address)
    {
        var target = Redirect(response, address);
        var isStored = target is not null;
        var linked = Header(response, "X-Linked-Etag");
        var hash = linked is not null && HashTag().Match(linked) is { Success: true } match ? match.Groups["hash"].Value.ToLowerInvariant() : null;
        var size = long.TryParse(Header(response, "X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes
            : isStored ? null : Length(response);
        return new(target ?? address, isStored, size, hash ?? linked ?? (isStored ? null : Header(response, "ETag")), hash, isStored ? null : Header(response, "ETag"));
    }

    // What HttpContent says of an answer without a body is the length of that body.
    private static long? Length(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.Contains("Content-Length") ? response.Content.Headers.ContentLength : null;

    private async Task<RemoteFile> ProbeAsync(RemoteFile remote, CancellationToken stop)
    {
        using var response = await OpenAsync(remote, 0, 1, stop).ConfigureAwait(false);
        if (HubErrors.IsTransient(response.StatusCode))
            throw HubErrors.Busy(response, remote.Address, _time.GetUtcNow());
        if (!response.IsSuccessStatusCode && response.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable)
            throw HubErrors.Expired(response, await ReadTextAsync(response, stop).ConfigureAwait(false), remote.Address);

        var tag = Header(response, "ETag");
        var size = response.Content.Headers.ContentRange?.Length ?? (response.StatusCode == HttpStatusCode.OK ? response.Content.Headers.ContentLength : null);

        // Only the hub names the SHA-256: what looks like one here is the storage's own name of the content, another hash.
        return remote with { Size = remote.Size ?? size, Tag = remote.Tag ?? tag, ServerTag = tag };
    }

    /// <summary>Whether an address is that of a file on another hub, to which a mirror leads: the address in a storage is signed, and has another form.</summary>
    private static bool IsOfAnotherHub(Uri address) => address.Query.Length == 0 && address.AbsolutePath.Contains("/resolve/", StringComparison.Ordinal);

    private bool IsOfHub(Uri address) => address.Scheme == Endpoint.Scheme && address.Host == Endpoint.Host && address.Port == Endpoint.Port;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) && values.ToString().Trim() is { Length: > 0 } value ? value : null;

    [GeneratedRegex("\\A(W/)?\"?(?<hash>[0-9A-Fa-f]{64})\"?\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex HashTag();

    [GeneratedRegex(@"\A[\x21-\x7e]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex TokenText();
}
