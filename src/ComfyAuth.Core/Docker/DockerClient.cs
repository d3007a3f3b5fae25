using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Secrets;

namespace ComfyAuth.Docker;

/// <summary>
/// Speaks the Docker Engine API with one engine. Safe for concurrent use; connections are reused. Every method may
/// throw a <see cref="DockerException"/>; a cancelled one drops its connection at once, and what the engine had begun
/// may still happen.
/// </summary>
/// <remarks>See https://docs.docker.com/reference/api/engine/ for the meaning of requests and answers.</remarks>
public sealed partial class DockerClient : IAsyncDisposable, IDisposable
{
    /// <summary>The newest API version that is used; with an older engine, its own is.</summary>
    public static readonly Version NewestApiVersion = new(1, 51);

    /// <summary>The oldest API version that has what is used here (Engine 19.03).</summary>
    public static readonly Version OldestApiVersion = new(1, 40);

    private const int LargestAnswer = 64 * 1024 * 1024;

    private readonly DockerClientOptions _options;
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _negotiating = new(1, 1);
    private Version? _apiVersion;

    /// <summary>Makes a client; connects with the first request.</summary>
    /// <param name="endpoint">Where the engine listens.</param>
    /// <param name="options">Deadlines; null: the defaults.</param>
    /// <exception cref="DockerException"><c>DockerTlsFailed</c>: a PEM file cannot be read.</exception>
    public DockerClient(DockerEndpoint endpoint, DockerClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Endpoint = endpoint;
        _options = options ?? new();
        var connector = new DockerConnector(endpoint, _options);
        var tls = connector.TlsOptions();
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, stop) => connector.ConnectAsync(stop),
            ConnectTimeout = _options.ConnectTimeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,

            // A stream that is closed before its end is dropped, not read to its end.
            ResponseDrainTimeout = TimeSpan.Zero,
        };
        if (tls is not null)
            handler.SslOptions = tls;

        var authority = endpoint.Host.Length == 0 ? "docker" : Uri.CheckHostName(endpoint.Host) == UriHostNameType.IPv6 ? $"[{endpoint.Host}]" : endpoint.Host;
        _http = new(handler)
        {
            BaseAddress = new($"{(tls is null ? "http" : "https")}://{authority}/"),
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = LargestAnswer,
        };
    }

    /// <summary>Where the engine listens.</summary>
    public DockerEndpoint Endpoint { get; }

    /// <summary>Closes the connections; what is under way fails.</summary>
    public void Dispose()
    {
        _http.Dispose();
        _negotiating.Dispose();
    }

    /// <summary>Closes the connections; what is under way fails.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    /// <summary>Asks whether the engine answers.</summary>
    /// <param name="stop">Gives up.</param>
    /// <returns>The API version that both sides speak.</returns>
    public Task<Version> PingAsync(CancellationToken stop = default) =>
        WithinAsync(_options.RequestTimeout, "a ping", PingOnceAsync, stop);

    /// <summary>The version of the engine.</summary>
    /// <param name="stop">Gives up.</param>
    public async Task<EngineVersion> VersionAsync(CancellationToken stop = default)
    {
        var answer = await GetAsync("/version", "its version", DockerJson.Default.VersionAnswer, stop).ConfigureAwait(false);
        return new(answer.Version ?? "", answer.ApiVersion ?? "", answer.MinAPIVersion ?? "", answer.Os ?? "", answer.Arch ?? "", answer.KernelVersion ?? "");
    }

    /// <summary>What the engine says of itself and its machine.</summary>
    /// <param name="stop">Gives up.</param>
    public async Task<EngineInfo> InfoAsync(CancellationToken stop = default) =>
        EngineInfo.From(await GetAsync("/info", "its information", DockerJson.Default.InfoAnswer, stop).ConfigureAwait(false));

    /// <summary>Follows what happens in the engine.</summary>
    /// <param name="options">Which events; null: all from now on.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The events; they end only at <see cref="EngineEventOptions.Until"/>, otherwise an end is an error.</returns>
    public async IAsyncEnumerable<EngineEvent> EventsAsync(EngineEventOptions? options = null, [EnumeratorCancellation] CancellationToken stop = default)
    {
        options ??= new();
        var query = "?filters=" + Filters(("container", options.Containers), ("label", options.Labels))
            + (options.Since is { } since ? "&since=" + UnixSeconds(since) : "")
            + (options.Until is { } until ? "&until=" + UnixSeconds(until) : "");
        const string what = "the events";
        await foreach (var answer in StreamAsync(HttpMethod.Get, "/events" + query, what, DockerJson.Default.EventAnswer, null, Timeout.InfiniteTimeSpan, stop, _options.RequestTimeout).ConfigureAwait(false))
            yield return EngineEvent.From(answer);
        if (options.Until is null)
            throw await BrokenOffAsync(what, null, stop).ConfigureAwait(false);
    }

    private static string Filters(params (string Name, IEnumerable<string> Values)[] filters)
    {
        var set = filters.Select(filter => (filter.Name, Values: filter.Values.ToArray())).Where(filter => filter.Values.Length > 0).ToDictionary(filter => filter.Name, filter => filter.Values);
        return Uri.EscapeDataString(JsonSerializer.Serialize(set, DockerJson.Default.DictionaryStringStringArray));
    }

    private static string UnixSeconds(DateTimeOffset time)
    {
        var ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        return string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerSecond}.{ticks % TimeSpan.TicksPerSecond * 100:000000000}");
    }

    private static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };

    private static string Described(string container) => $"'{DockerErrors.OneLine(container)}'";

    // An empty name would address the list instead of one of its members.
    private string Segment(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);

        // A URI loses dots that stand alone.
        return name is "." or ".."
            ? throw DockerErrors.Refused(Endpoint, $"'{name}'", System.Net.HttpStatusCode.NotFound, "no container or image can have this name")
            : Uri.EscapeDataString(name);
    }

    private async Task<T> GetAsync<T>(string path, string what, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class =>
        await RequestAsync(HttpMethod.Get, path, what, type, null, _options.RequestTimeout, stop).ConfigureAwait(false);

    private Task<T> RequestAsync<T>(HttpMethod method, string path, string what, JsonTypeInfo<T> type, HttpContent? content, TimeSpan deadline, CancellationToken stop, SecretRedactor? secrets = null)
        where T : class =>
        WithinAsync(
            deadline,
            what,
            async token =>
            {
                using var response = await SendAsync(method, path, what, content, HttpCompletionOption.ResponseContentRead, token, secrets).ConfigureAwait(false);
                var bytes = await response.Content.ReadAsByteArrayAsync(token).ConfigureAwait(false);
                return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("null");
            },
            stop);

    private async Task CommandAsync(HttpMethod method, string path, string what, HttpContent? content, TimeSpan deadline, CancellationToken stop)
    {
        using var response = await WithinAsync(
            deadline,
            what,
            token => SendAsync(method, path, what, content, HttpCompletionOption.ResponseContentRead, token),
            stop).ConfigureAwait(false);
    }

    /// <summary>An answer whose body comes bit by bit. Where silence is normal, the start may have a deadline all the same.</summary>
    private async Task<(HttpResponseMessage Response, EngineStream Body)> OpenAsync(HttpMethod method, string path, string what, HttpContent? content, TimeSpan silence, CancellationToken stop, TimeSpan? start = null)
    {
        var response = await WithinAsync(
            start ?? silence,
            what,
            token => SendAsync(method, path, what, content, HttpCompletionOption.ResponseHeadersRead, token),
            stop).ConfigureAwait(false);
        try
        {
            return (response, new(response, await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false), silence, (error, caller) => TranslateAsync(error, what, caller)));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>An answer that is one JSON document per line.</summary>
    private async IAsyncEnumerable<T> StreamAsync<T>(HttpMethod method, string path, string what, JsonTypeInfo<T> type, HttpContent? content, TimeSpan silence, [EnumeratorCancellation] CancellationToken stop, TimeSpan? start = null)
        where T : class
    {
        var (_, body) = await OpenAsync(method, path, what, content, silence, stop, start).ConfigureAwait(false);
        await using var _ = body.ConfigureAwait(false);
        List<T> read = [];
        var lines = new LineSplitter(line =>
        {
            if (!line.Trim(" \t\r"u8).IsEmpty)
                read.Add(JsonSerializer.Deserialize(line, type) ?? throw new JsonException("null"));
        });
        var buffer = new byte[16 * 1024];
        for (var length = -1; length != 0;)
        {
            length = await body.ReadAsync(buffer, stop).ConfigureAwait(false);
            try
            {
                if (length > 0)
                    lines.Append(buffer.AsSpan(0, length));
                else
                    lines.Complete();
            }
            catch (JsonException error)
            {
                throw await TranslateAsync(error, what, stop).ConfigureAwait(false);
            }

            foreach (var item in read)
                yield return item;
            read.Clear();
        }
    }

    /// <summary>Sends one request, with the version of the API in its path; an answer that is an error is thrown.</summary>
    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string what, HttpContent? content, HttpCompletionOption completion, CancellationToken stop, SecretRedactor? secrets = null)
    {
        var version = await NegotiateAsync(stop).ConfigureAwait(false);
        using var request = new HttpRequestMessage(method, $"v{version}{path}") { Content = content };
        var response = await _http.SendAsync(request, completion, stop).ConfigureAwait(false);

        // "Not modified" says that a container is as it should be already.
        if (response.IsSuccessStatusCode || response.StatusCode == System.Net.HttpStatusCode.NotModified)
            return response;
        using (response)
            throw await RefusedAsync(response, what, secrets, stop).ConfigureAwait(false);
    }

    private async Task<DockerException> RefusedAsync(HttpResponseMessage response, string what, SecretRedactor? secrets, CancellationToken stop)
    {
        await response.Content.LoadIntoBufferAsync().WaitAsync(stop).ConfigureAwait(false);
        var bytes = await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
        string? message = null;
        try
        {
            message = JsonSerializer.Deserialize(bytes, DockerJson.Default.ErrorAnswer)?.Message;
        }
        catch (JsonException)
        {
            // A proxy, or an engine before it has understood the request, answers in plain text.
        }

        message ??= Encoding.UTF8.GetString(bytes);
        message = string.IsNullOrWhiteSpace(message) ? $"HTTP status {(int)response.StatusCode}" : message;
        return DockerErrors.Refused(Endpoint, what, response.StatusCode, (secrets ?? new()).Redact(message));
    }

    private async Task<Version> NegotiateAsync(CancellationToken stop)
    {
        if (Volatile.Read(ref _apiVersion) is { } known)
            return known;

        await _negotiating.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return _apiVersion ?? await PingOnceAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _negotiating.Release();
        }
    }

    private async Task<Version> PingOnceAsync(CancellationToken stop)
    {
        using var response = await _http.GetAsync("_ping", HttpCompletionOption.ResponseContentRead, stop).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw await RefusedAsync(response, "a ping", null, stop).ConfigureAwait(false);
        if (!response.Headers.TryGetValues("Api-Version", out var values) || !Version.TryParse(values.FirstOrDefault(), out var theirs))
            throw DockerErrors.Protocol(Endpoint, "a ping", "it names no API version, so it is not from an engine");
        if (theirs < OldestApiVersion)
            throw DockerErrors.Version(Endpoint, $"it speaks API version {theirs}, and {OldestApiVersion} is needed", engineIsNewer: false);

        var common = theirs < NewestApiVersion ? theirs : NewestApiVersion;
        Volatile.Write(ref _apiVersion, common);
        return common;
    }

    private async Task<T> WithinAsync<T>(TimeSpan deadline, string what, Func<CancellationToken, Task<T>> work, CancellationToken stop)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop);
        linked.CancelAfter(deadline);
        try
        {
            return await work(linked.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            throw await TranslateAsync(error, what, stop).ConfigureAwait(false);
        }
    }

    private async Task<Exception> TranslateAsync(Exception error, string what, CancellationToken stop)
    {
        // A cancelled connection fails in many ways.
        if (stop.IsCancellationRequested)
            return new OperationCanceledException(stop);
        if (DockerErrors.FromTransport(Endpoint, what, error) is { } known)
            return known;

        switch (error)
        {
            case OperationCanceledException:
                return DockerErrors.Timeout(Endpoint, what, error);
            case JsonException:
                return DockerErrors.Protocol(Endpoint, what, "it is not the JSON of an engine", error);
            case InvalidDataException:
                return DockerErrors.Protocol(Endpoint, what, error.Message, error);
            case IOException or HttpRequestException or SocketException:
                return await BrokenOffAsync(what, error, stop).ConfigureAwait(false);
            default:
                ExceptionDispatchInfo.Throw(error);
                return error;
        }
    }

    /// <summary>The connection broke: because the engine is gone, or because it gave up on the answer?</summary>
    private async Task<Exception> BrokenOffAsync(string what, Exception? error, CancellationToken stop)
    {
        try
        {
            using var probe = CancellationTokenSource.CreateLinkedTokenSource(stop);
            probe.CancelAfter(_options.ProbeTime);
            await PingOnceAsync(probe.Token).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException && DockerErrors.FromTransport(Endpoint, what, gone) is null or { Code: "DockerNotRunning" })
        {
            return DockerErrors.NotRunning(Endpoint, error ?? gone, what);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return new OperationCanceledException(stop);
        }
        catch (Exception other) when (other is DockerException or OperationCanceledException or HttpRequestException or IOException)
        {
            // The first error tells more than that of the probe.
        }

        return DockerErrors.Protocol(Endpoint, what, "it broke off before its end", error);
    }
}
