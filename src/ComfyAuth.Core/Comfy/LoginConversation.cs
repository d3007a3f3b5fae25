using System.Globalization;
using System.Text;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>Questions to one service about its login, over one connection. Not safe for concurrent use.</summary>
internal sealed class LoginConversation : IDisposable
{
    private const int LargestBody = 64 * 1024;

    private readonly ServiceDefinition _service;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _ended;
    private readonly HttpClient _client;

    public LoginConversation(ServiceDefinition service, TimeSpan timeout, CancellationToken stop)
    {
        _service = service;
        _timeout = timeout;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _client = ServiceHttp.Client(_ended.Token);
    }

    /// <summary>Where a path of the service is; null where it would lead to another host or port.</summary>
    public Uri? AddressOf(string path) => ServiceProber.AddressOf(_service with { HealthPath = path });

    /// <summary>Asks one question.</summary>
    /// <param name="question">The question.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What came of it; no answer is a reply too.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<LoginReply> AskAsync(LoginQuestion question, CancellationToken stop)
    {
        if (AddressOf(question.Path) is not { } address)
            return new("not asked, because the url makes no http address");

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(_timeout);
        try
        {
            using var request = Request(question, address);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            var body = question.WantsBody ? await ReadAsync(response, deadline.Token).ConfigureAwait(false) : "";
            return Answered(response, address, body);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // A cancelled connection fails in many ways.
            throw new OperationCanceledException(stop);
        }
        catch (OperationCanceledException)
        {
            return new(string.Create(CultureInfo.InvariantCulture, $"no answer within {_timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            return new(ServiceHttp.Describe(error, address).What);
        }
    }

    public void Dispose()
    {
        // A connection that is still being made does not outlive the conversation.
        _ended.Cancel();
        _client.Dispose();
        _ended.Dispose();
    }

    private static HttpRequestMessage Request(LoginQuestion question, Uri address)
    {
        var request = new HttpRequestMessage(question.Method, address);

        // A browser would be sent to the login page.
        request.Headers.Accept.Add(new("application/json"));
        if (question.Authorization is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (question.Origin is { } origin)
            request.Headers.TryAddWithoutValidation("Origin", origin);
        if (question.Form is { } form)
            request.Content = new FormUrlEncodedContent(form);
        if (question.IsHandshake)
        {
            // RFC 6455, section 4.1.
            request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", Convert.ToBase64String(Guid.NewGuid().ToByteArray()));
        }

        return request;
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken stop)
    {
        using var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var buffer = new byte[LargestBody];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static LoginReply Answered(HttpResponseMessage response, Uri address, string body)
    {
        var reply = ServiceProber.Answered(response, address);
        return new(reply.What)
        {
            Status = reply.Status,
            IsRefusal = reply.IsRefusal,
            Location = response.Headers.Location is { } location && Uri.TryCreate(address, location, out var target) && IsSameServer(target, address) ? target : null,
            Cookies = response.Headers.TryGetValues("Set-Cookie", out var cookies) ? [.. cookies] : [],
            AllowedOrigin = response.Headers.TryGetValues("Access-Control-Allow-Origin", out var origins) ? string.Join(", ", origins) : null,
            AllowedMethods = [.. response.Content.Headers.Allow],
            Body = body,
        };
    }

    private static bool IsSameServer(Uri left, Uri right) =>
        Uri.Compare(left, right, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}

/// <summary>A question to a service.</summary>
/// <param name="Path">The path, with its query.</param>
internal sealed record LoginQuestion(string Path)
{
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>The whole value of the header; null: it is not sent.</summary>
    public string? Authorization { get; init; }

    public BcryptHash Bearer
    {
        init => Authorization = $"Bearer {value.Reveal()}";
    }

    public string? Origin { get; init; }

    /// <summary>The fields of a form.</summary>
    public IReadOnlyDictionary<string, string>? Form { get; init; }

    /// <summary>Whether it asks for a websocket.</summary>
    public bool IsHandshake { get; init; }

    /// <summary>Whether the first 64 KB of the body matter.</summary>
    public bool WantsBody { get; init; }

    // The compiler's own text would show what it sends.
    public override string ToString() => Path;
}

/// <summary>What came of a question.</summary>
/// <param name="What">As a clause, without secrets.</param>
internal sealed record LoginReply(string What)
{
    /// <summary>The HTTP status; null when there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>Whether it asks for a login: 401, 403, or a redirect to the login page.</summary>
    public bool IsRefusal { get; init; }

    public bool IsFine => Status is >= 200 and <= 299;

    /// <summary>Where it redirects to on the same server.</summary>
    public Uri? Location { get; init; }

    public IReadOnlyList<string> Cookies { get; init; } = [];

    /// <summary><c>Access-Control-Allow-Origin</c>.</summary>
    public string? AllowedOrigin { get; init; }

    /// <summary><c>Allow</c>.</summary>
    public IReadOnlyList<string> AllowedMethods { get; init; } = [];

    public string Body { get; init; } = "";

    public override string ToString() => What;
}
