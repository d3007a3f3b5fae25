using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using ComfyAuth.Comfy;

namespace ComfyAuth.Models;

/// <summary>Turns what a hub answers into what is wrong and what to do.</summary>
internal static partial class HubErrors
{
    /// <summary>Why a web page is no answer.</summary>
    public const string Page = "it is a web page, as a login or an error page is";

    private const string CheckNetwork = "Check the network and the proxy, then run it again: it goes on where it stopped.";

    // A server that asks for more is asked again all the same, and the attempts are counted.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    /// <summary>The address without what may be secret in it.</summary>
    public static string Shown(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>What a refusal of the hub itself means.</summary>
    public static ComfyAuthException Refusal(HttpResponseMessage response, HubFile file, Uri endpoint, bool hadToken, bool wasRefused)
    {
        var status = (int)response.StatusCode;
        var code = response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.FirstOrDefault() : null;
        var said = Said(response.Headers.TryGetValues("X-Error-Message", out var messages) ? messages.FirstOrDefault() : null);
        var page = $"{Shown(endpoint)}{file.Repository}";
        return (code, status) switch
        {
            ("GatedRepo", _) when !hadToken && !wasRefused => new(
                "HubFileGated", $"{file} is given only to users of the hub who asked for access, and no token was sent.", $"Ask for access at {page}, then give a token of the hub with -HuggingFaceToken or HF_TOKEN."),
            ("GatedRepo", _) when wasRefused => new(
                "HubRefusedToken", $"{file} is given only to users of the hub who asked for access, and the hub does not know the token that was sent.", "Make a new token in the settings of the hub and give that."),
            ("GatedRepo", _) => new(
                "HubFileGated", $"{file} is given only to users of the hub who asked for access, and the owner of the token has none.", $"Ask for access at {page}; a fine-grained token must also be allowed to read gated repositories."),
            ("RepoNotFound", _) => new(
                "HubRepositoryNotFound", $"The hub has no repository {file.Repository}{(hadToken ? " that the owner of the token may see" : ", or it is private")}.", $"Check the name{(hadToken ? "" : ", and give a token of the hub if it is private")}."),
            ("RevisionNotFound", _) => new("HubRevisionNotFound", $"The repository {file.Repository} has no revision {file.Revision}.", "Name a branch, a tag or a whole commit of it."),
            ("EntryNotFound", _) or (_, 404) => new("HubFileNotFound", $"The repository {file.Repository} has no file {file.Path} in its revision {file.Revision}.", $"Look at {page} for the files that it has."),
            (_, 401) => new("HubRefusedToken", $"The hub gives {file} to nobody without a valid token{(wasRefused ? ", and does not know the one that was sent" : "")}.", "Give a valid token of the hub with -HuggingFaceToken or HF_TOKEN."),
            (_, 407) => ProxyLogin(null),
            _ => new("HubRefused", $"The hub at {Shown(endpoint)} refused {file}: it answers {status}{said}.", "Open the file's page in a browser to see why; behind a proxy, ask who runs it."),
        };
    }

    /// <summary>Whether an answer says no more than that the server cannot now.</summary>
    public static bool IsTransient(HttpStatusCode status) => (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or (HttpStatusCode)425;

    /// <summary>Whether an answer is a web page where a file was asked for.</summary>
    public static bool IsPage(HttpResponseMessage response, HubFile file) =>
        response.Content.Headers.ContentType?.MediaType == "text/html" && !file.Name.EndsWith(".html", StringComparison.OrdinalIgnoreCase);

    /// <summary>A server that cannot now.</summary>
    /// <remarks>The hub says with <c>RateLimit: "resolvers";r=0;t=55</c> (draft-ietf-httpapi-ratelimit-headers) in how many seconds more is allowed.</remarks>
    public static TransientHubException Busy(HttpResponseMessage response, Uri address, DateTimeOffset now)
    {
        TimeSpan? after = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - now,
            _ when response.Headers.NonValidated.TryGetValues("RateLimit", out var limits) && SpentLimit().Match(limits.ToString()) is { Success: true } limit =>
                TimeSpan.FromSeconds(int.Parse(limit.Groups["seconds"].Value, CultureInfo.InvariantCulture) + 1),
            _ => null,
        };
        after = after < TimeSpan.Zero ? TimeSpan.Zero : after > LongestWait ? LongestWait : after;
        return response.StatusCode == HttpStatusCode.TooManyRequests
            ? new("HubBusy", $"{Shown(address)} asks for fewer requests (429).", "Wait some minutes, then run it again: it goes on where it stopped. With a token of the hub more requests are allowed.", after)
            : new("HubFailed", $"{Shown(address)} answers {(int)response.StatusCode}.", "Wait some minutes, then run it again: it goes on where it stopped.", after);
    }

    /// <summary>An address of the storage that is not valid any more, or never was.</summary>
    /// <param name="response">The refusal.</param>
    /// <param name="text">The beginning of its body.</param>
    /// <param name="address">The address.</param>
    public static TransientHubException Expired(HttpResponseMessage response, string text, Uri address) =>
        new("HubRefused", $"The storage at {Shown(address)} refuses the address that the hub gave: it answers {(int)response.StatusCode}{Said(Tags().Replace(text, " "))}.", "Check the clock of this machine and the proxy, then run it again.");

    /// <summary>A connection that failed.</summary>
    public static ComfyAuthException Failure(Exception error, Uri address)
    {
        if (error is HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError, StatusCode: HttpStatusCode.ProxyAuthenticationRequired })
            return ProxyLogin(error);
        var (what, _) = ServiceHttp.Describe(error, address);

        // A certificate that is not trusted now is not trusted at the next attempt either.
        return error.InnerException is AuthenticationException
            ? new ComfyAuthException("HubUnreachable", $"There is no safe connection with {Shown(address)}: {what}.", "Check the clock of this machine, and that it trusts the certificate of the proxy, if there is one.", error)
            : new TransientHubException("HubUnreachable", $"The connection with {Shown(address)} failed: {what}.", CheckNetwork, cause: error);
    }

    /// <summary>A server that sends nothing.</summary>
    public static TransientHubException Stalled(Uri address, TimeSpan timeout) =>
        new("HubTimedOut", $"{Shown(address)} sent nothing, or next to nothing, for {Duration.Format(timeout)}.", CheckNetwork);

    /// <summary>A connection that ended early.</summary>
    public static TransientHubException Cut(Uri address, Exception? cause = null) =>
        new("HubUnreachable", $"The connection with {Shown(address)} broke.", CheckNetwork, cause: cause);

    /// <summary>An answer that makes no sense.</summary>
    public static TransientHubException Invalid(Uri address, string why) =>
        new("HubAnswerInvalid", $"What {Shown(address)} answers is no answer of a model hub: {why}.", "Check HF_ENDPOINT, and the proxy if there is one.");

    private static ComfyAuthException ProxyLogin(Exception? cause) =>
        new("HubRefused", "The proxy asks for a user name and a password, or for others than those that are given.", "Give them in HTTPS_PROXY, as in http://user:password@proxy:8080.", cause);

    /// <summary>What a server says of a refusal in a few words, without what may be secret in them; empty where it says nothing.</summary>
    private static string Said(string? text) =>
        text is not null && Words().Match(text.Trim()) is { Length: > 0 } words ? $" and says '{Spaces().Replace(words.Value, " ").Trim(' ', '.')}'" : "";

    [GeneratedRegex("<[^>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex Tags();

    [GeneratedRegex(" {2,}", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\br\s*=\s*0\s*;\s*t\s*=\s*(?<seconds>[0-9]{1,8})(?![0-9])", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SpentLimit();

    // Neither an address nor a key is words alone.
    [GeneratedRegex("\\A[A-Za-z0-9 ,.:;'()-]{1,160}", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
