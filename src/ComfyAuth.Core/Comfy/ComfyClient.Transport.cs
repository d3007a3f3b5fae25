using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <content>How questions are sent, and what their failures are called.</content>
public sealed partial class ComfyClient
{
    private const int LongestCookie = 8 * 1024;
    private const string FirstLogin = "first login";

    /// <summary>Asks for JSON. What <paramref name="read"/> gives null for is no answer of ComfyUI.</summary>
    private async Task<T> GetAsync<T>(string path, int largest, Func<JsonElement, T?> read, CancellationToken stop)
        where T : class
    {
        var answer = await AskAsync(HttpMethod.Get, path, null, largest, stop).ConfigureAwait(false);
        return answer.IsFine ? Read(answer, read) : throw Failed(answer);
    }

    /// <summary>Reads JSON. What <paramref name="read"/> gives null for is no answer of ComfyUI.</summary>
    private T Read<T>(Answer answer, Func<JsonElement, T?> read)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(answer.Body, ComfyJson.Bounded);
            return read(document.RootElement) ?? throw Invalid(answer.Path, "it has not the form of ComfyUI's");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            // JSON can write texts and numbers that nobody can read.
            throw Invalid(answer.Path, "it is no JSON, or none that can be read", error);
        }
    }

    /// <summary>Asks, with the credential. An answer that is a refusal of it is an error; any other is given back.</summary>
    private async Task<Answer> AskAsync(HttpMethod method, string path, Func<HttpContent>? content, int largest, CancellationToken stop) =>
        await SendAsync(method, path, content, async (response, _, token) => await ReadAsync(response, path, largest, token).ConfigureAwait(false), stop).ConfigureAwait(false);

    /// <summary>Asks, with the credential, and lets the answer be read. A session that the service no longer knows is made anew, once.</summary>
    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, Func<HttpContent>? content, Func<HttpResponseMessage, CancellationTokenSource, CancellationToken, Task<T>> read, CancellationToken stop)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            var session = _credential.Password is null ? null : await SessionAsync(stop).ConfigureAwait(false);
            var (isRefused, result) = await ExchangeAsync(
                () =>
                {
                    var request = new HttpRequestMessage(method, new Uri(Address, path)) { Content = content?.Invoke() };
                    foreach (var (name, value) in Headers(session))
                        request.Headers.TryAddWithoutValidation(name, value);
                    return request;
                },
                path,
                async (response, deadline, token) => IsRefusal(response, path) ? (true, default(T)) : (false, await read(response, deadline, token).ConfigureAwait(false)),
                stop).ConfigureAwait(false);
            if (!isRefused)
                return result!;
            if (session is null || isSecond)
                throw Refused();
            Interlocked.CompareExchange(ref _session, null, session);
        }
    }

    /// <summary>The headers that go with every question.</summary>
    private IEnumerable<(string Name, string Value)> Headers(string? session)
    {
        // A browser would be sent to the login page.
        yield return ("Accept", "application/json");
        if (_credential.Token is { } token)
            yield return ("Authorization", $"Bearer {token.Reveal()}");
        if (session is not null)
            yield return ("Cookie", session);
    }

    /// <summary>Sends one request and reads its answer, in time.</summary>
    private async Task<T> ExchangeAsync<T>(Func<HttpRequestMessage> make, string path, Func<HttpResponseMessage, CancellationTokenSource, CancellationToken, Task<T>> read, CancellationToken stop)
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop, _closed.Token);
        deadline.CancelAfter(Timeout);
        try
        {
            using var request = make();
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            return await read(response, deadline, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not ComfyAuthException && (stop.IsCancellationRequested || _closed.IsCancellationRequested))
        {
            // A cancelled connection fails in many ways.
            throw new OperationCanceledException(stop);
        }
        catch (OperationCanceledException error)
        {
            var message = string.Create(CultureInfo.InvariantCulture, $"The service at {Address} was silent for {Timeout.TotalSeconds:0.###} s when asked for /{PathOnly(path)}.");
            throw new ComfyAuthException("ServiceTimedOut", message, "See in its log what it is doing; restart it if it hangs.", error);
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            throw Unreachable(ServiceHttp.Describe(error, Address).What, error);
        }
    }

    private async Task<Answer> ReadAsync(HttpResponseMessage response, string path, int largest, CancellationToken stop)
    {
        using var body = new MemoryStream();
        await CopyAsync(response, path, body, largest, null, stop).ConfigureAwait(false);
        return new(path, (int)response.StatusCode, response.Headers.Location, body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    /// <summary>Copies a body that is not larger than it may be.</summary>
    private async Task CopyAsync(HttpResponseMessage response, string path, Stream to, long largest, Action? onPart, CancellationToken stop)
    {
        if (response.Content.Headers.ContentLength > largest)
            throw TooLarge(path, largest);

        var from = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var buffer = new byte[64 * 1024];
        var total = 0L;
        while (await from.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var length)
        {
            total += length;
            if (total > largest)
                throw TooLarge(path, largest);
            try
            {
                await to.WriteAsync(buffer.AsMemory(0, length), stop).ConfigureAwait(false);
            }
            catch (IOException error)
            {
                // Not the service's fault, and not to be taken for it.
                throw new DestinationException(error);
            }

            onPart?.Invoke();
        }
    }

    /// <summary>The cookie of the session; logs in where there is none.</summary>
    private async Task<string> SessionAsync(CancellationToken stop)
    {
        if (Volatile.Read(ref _session) is { } present)
            return present;

        await _loggingIn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return _session ??= await LogInAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _loggingIn.Release();
        }
    }

    private async Task<string> LogInAsync(CancellationToken stop)
    {
        // Where no password is set yet, whoever posts one first sets it.
        var page = await ExchangeAsync(() => Request(HttpMethod.Get), "login", (response, _, token) => ReadAsync(response, "login", LargestSmallAnswer, token), stop).ConfigureAwait(false);
        if (page.Status is 404 or 405)
            throw new ComfyAuthException("ServiceHasNoLogin", $"The service at {Address} has no web login.", "Give a token or no credential, or check the address.");
        if (page.IsFine && System.Text.Encoding.UTF8.GetString(page.Body.Span).Contains(FirstLogin, StringComparison.OrdinalIgnoreCase))
        {
            throw new ComfyAuthException(
                "ServiceHasNoPassword",
                $"The service at {Address} has no password yet: whoever logs in first sets it, and until then anybody has full access.",
                "Synchronise its token (Sync-ComfyToken) and restart it.");
        }

        var form = new Dictionary<string, string> { ["username"] = _credential.UserName, ["password"] = _credential.Password!.Reveal() };
        var (answer, cookie) = await ExchangeAsync(
            () =>
            {
                var request = Request(HttpMethod.Post);
                request.Content = new FormUrlEncodedContent(form);
                return request;
            },
            "login",
            async (response, _, token) =>
            {
                var cookies = response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [];
                return (await ReadAsync(response, "login", LargestSmallAnswer, token).ConfigureAwait(false), cookies.Select(text => text.Split(';')[0].Trim()).FirstOrDefault(IsCookie));
            },
            stop).ConfigureAwait(false);
        if (answer.Status >= 500)
            throw new ComfyAuthException("ServiceFailed", $"The login of the service at {Address} failed with status {answer.Status}.", "Its PASSWORD file may be damaged: see the service's log, and Sync-ComfyToken -Audit.");

        // Right and wrong passwords get the same status; where the answer leads tells them apart.
        var leads = answer.Location is { } location && Uri.TryCreate(new Uri(Address, "login"), location, out var target) ? target : null;
        if (leads is null || answer.Status is < 300 or > 399)
            throw Invalid("login", $"it has status {answer.Status} and does not lead on");
        if (leads.AbsolutePath.EndsWith("/login", StringComparison.Ordinal))
            throw new ComfyAuthException("ServiceRefusedPassword", $"The web login of the service at {Address} refuses the password.", "Check it: Sync-ComfyToken -Validate compares it with the hash; after a change the service has to be restarted.");
        return cookie ?? throw Invalid("login", "it sets no cookie");

        HttpRequestMessage Request(HttpMethod method)
        {
            var request = new HttpRequestMessage(method, new Uri(Address, "login"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
            return request;
        }
    }

    private static bool IsCookie(string cookie) =>
        cookie.Length is > 1 and < LongestCookie && cookie.Contains('=', StringComparison.Ordinal) && cookie.All(character => character is > ' ' and < '\u007f' and not (';' or ','));

    private bool IsRefusal(HttpResponseMessage response, string path) =>
        response.StatusCode == HttpStatusCode.Unauthorized
        // A file outside the folders gets this one with the right credential.
        || (response.StatusCode == HttpStatusCode.Forbidden && !path.StartsWith("view", StringComparison.Ordinal))
        || ((int)response.StatusCode is >= 300 and <= 399 && ServiceHttp.IsLogin(Address, response.Headers.Location));

    /// <summary>The service asks for a credential, or for another one.</summary>
    private ComfyAuthException Refused()
    {
        if (_credential.Token is { } token)
        {
            return new(
                "ServiceRefusedToken",
                $"The service at {Address} refuses the token {token.Fingerprint}.",
                "Compare the places with Sync-ComfyToken -Audit; the service reads its PASSWORD file at its start only, so restart it after a change.");
        }

        return _credential.Password is null
            ? new("ServiceWantsToken", $"The service at {Address} wants a token, and none is known.", "Give -Token or -Credential, or the stack whose source of truth holds the token.")
            : new("ServiceRefusedPassword", $"The service at {Address} refuses the session that it has just given.", "Log in with a browser to see whether it takes its own sessions; restart it.");
    }

    /// <summary>An answer that is neither a success nor a refusal of the credential.</summary>
    private ComfyAuthException Failed(Answer answer)
    {
        var what = ServiceText.Clean(System.Text.Encoding.UTF8.GetString(answer.Body.Span[..Math.Min(answer.Body.Length, 4096)]), _redactor);
        return answer.Status >= 500
            ? new("ServiceFailed", $"The service at {Address} failed with status {answer.Status} when asked for /{PathOnly(answer.Path)}{(what.Length == 0 ? "" : $": {what.TrimEnd('.')}")}.", "See the service's log.")
            : Invalid(answer.Path, $"its status is {answer.Status}");
    }

    private ComfyAuthException Unreachable(string what, Exception? error = null) => new(
        "ServiceUnreachable", $"The service at {Address} cannot be asked: {what}.", "See whether it runs (Get-GenAIContainer), and check the address.", error);

    private ComfyAuthException Invalid(string path, string why, Exception? error = null) => new(
        "ServiceAnswerInvalid", $"The answer of {Address}{PathOnly(path)} cannot be used: {why}.", "Check that ComfyUI answers at this address, and that no proxy changes its answers.", error);

    private ComfyAuthException TooLarge(string path, long largest) => Invalid(path, $"it is larger than {ByteSize.Format(largest)}");

    private string? Shown(string? text) => text is null ? null : ServiceText.Clean(text, _redactor);

    private static string PathOnly(string path) => path.Split('?')[0];

    /// <summary>An answer that was read to its end.</summary>
    private sealed record Answer(string Path, int Status, Uri? Location, ReadOnlyMemory<byte> Body)
    {
        public bool IsFine => Status is >= 200 and <= 299;
    }

    /// <summary>The stream that an answer was copied to failed.</summary>
    private sealed class DestinationException(IOException error) : Exception(error.Message, error);
}
