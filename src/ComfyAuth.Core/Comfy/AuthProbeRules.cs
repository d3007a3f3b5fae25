using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>The weaknesses of ComfyUI-Login (commit 69109257) and of how it is deployed.</summary>
internal static partial class AuthProbeRules
{
    // A name that nobody can own (RFC 2606).
    private const string ForeignOrigin = "https://origin.invalid";

    private static readonly string[] CookieAttributes = ["Secure", "SameSite", "HttpOnly"];

    public static IReadOnlyList<AuthProbeRule> All { get; } =
    [
        new("open", AuthFindingSeverity.Critical, "Open without a login",
            "A guarded path without a token: any answer of 200 to 299.",
            "Whoever reaches the service uses all of it.",
            "See in the container's log whether ComfyUI-Login was loaded, install it with its requirements, and restart the container.",
            OpenAsync) { IsOfComfyUILogin = false },
        new("first-login", AuthFindingSeverity.Critical, "The first visitor sets the password",
            "The text of the login page; the form is not sent, since that would set the password.",
            "No password is set: whoever opens the login page first chooses it, and has the service from then on.",
            "Stop the container or take its port away, write login/PASSWORD (Sync-ComfyToken does), and start it again.",
            FirstLoginAsync),
        new("empty-token", AuthFindingSeverity.Critical, "An empty token opens everything",
            "A guarded path with '?token=' and nothing after it: any answer of 200 to 299.",
            "Without a password the expected token is the empty text, so everyone has it, although requests without a token get 401.",
            "Write login/PASSWORD (Sync-ComfyToken does) and restart the container.",
            EmptyTokenAsync),
        new("unguarded-user-data", AuthFindingSeverity.High, "User data without a login",
            "PATCH, which nothing answers to, of a random name under /userdata/ that ends in .js: 405 with POST among the allowed methods, instead of 401.",
            "Paths that end in .js, .css, .css.map or .ico are never asked for a login, and ComfyUI serves user data by name: anyone writes, overwrites, deletes and reads files of such names, and reaches every workflow and setting by moving it to one.",
            "Let a reverse proxy ask for a login of its own before /userdata and /api/userdata, and publish the port on the loopback only.",
            UserDataAsync) { IsInherent = true },
        new("guest-mode", AuthFindingSeverity.High, "Guest mode is on",
            "The text of the login page: it offers to come in as a guest.",
            "Without a password everyone reads all pictures, prompts and settings, queues prompts and uploads pictures.",
            "Delete login/GUEST_MODE; Set-ComfyGuestMode -State Off does. Guests who are in stay in until the session key changes.",
            GuestModeAsync),
        new("published-in-the-clear", AuthFindingSeverity.High, "Published to the network without TLS",
            "The addresses that the port is published on: one that is not a loopback address, for a url of http.",
            "Token, password and session cookie cross the network readable, past most firewalls, because the engine writes its own rules.",
            "Publish the port on 127.0.0.1, and put a reverse proxy with TLS before it for others.",
            PublishedInTheClear) { IsOfComfyUILogin = false },
        new("foreign-origin", AuthFindingSeverity.Medium, "Pages of other sites may read the answers",
            "A guarded path with a foreign Origin: Access-Control-Allow-Origin is *, that origin or null.",
            "A page of any site, opened in a browser that reaches the service, may talk to it, and needs only the token.",
            "Start ComfyUI without --enable-cors-header, or name the one origin that needs it.",
            ForeignOriginAsync) { IsOfComfyUILogin = false },
        new("token-in-log", AuthFindingSeverity.Medium, "The log holds a token",
            "The last lines of the container's log: one of them holds the token or another bcrypt hash.",
            "ComfyUI-Login writes the token into the log at each start: who reads the log, or a copy of it, has the whole service.",
            "Guard the log like the token, keep it on this machine, and change the token once others have seen the log.",
            TokenInLog) { IsOfComfyUILogin = false, IsInherent = true },
        new("cookie-attributes", AuthFindingSeverity.Low, "A session cookie without all its attributes",
            "One login with the known password: the cookie lacks Secure, SameSite or HttpOnly.",
            "Without Secure the cookie crosses the network readable where http is used; without SameSite it is the browser that decides which foreign requests carry it.",
            "Let a reverse proxy with TLS add Secure and SameSite=Lax to the cookie.",
            CookieAttributesAsync) { IsInherent = true },
        new("malformed-header", AuthFindingSeverity.Low, "A malformed header makes the server fail",
            "A guarded path with the header 'Authorization: Bearer' and no token: 500 instead of 401.",
            "Every such request is an unhandled error with a stack trace in the log: strangers fill the log, and clients take 500 for an outage.",
            "Let a reverse proxy answer 401 to Authorization headers that are not two words.",
            MalformedHeaderAsync) { IsInherent = true },
        new("no-lockout", AuthFindingSeverity.Info, "Passwords can be guessed without limit",
            "Whether the login page is that of ComfyUI-Login; nothing is guessed.",
            "The node has neither a lockout nor a delay, and ComfyUI answers nobody for the 0.3 s that each try takes, so that guessing blocks it as well.",
            "Use a long random password, which Sync-ComfyToken makes, and limit the rate of POST /login in a reverse proxy.",
            NoLockoutAsync) { IsInherent = true },
        new("lasting-sessions", AuthFindingSeverity.Info, "Sessions outlive the password",
            "Whether the login page is that of ComfyUI-Login; no session is made.",
            "A session lives in its encrypted cookie alone: it never expires, and a new password, a restart and a logout elsewhere leave it valid.",
            "After a theft delete .secret-key.txt in the node's folder too, and restart the container.",
            LastingSessionsAsync) { IsInherent = true },
    ];

    private static async Task<AuthVerdict> OpenAsync(AuthProbeContext context, CancellationToken stop)
    {
        var reply = await context.WithoutTokenAsync(stop).ConfigureAwait(false);

        // The health path of another service may be open on purpose.
        return reply.IsFine && context.Service.Auth != AuthKind.ComfyUILogin
            ? new(null, $"{reply.What} without a token at its health path, which may be meant to be open")
            : new(LetsIn(reply), $"{reply.What} without a token");
    }

    private static async Task<AuthVerdict> FirstLoginAsync(AuthProbeContext context, CancellationToken stop)
    {
        var page = await context.PageAsync(stop).ConfigureAwait(false);
        return LoginPage.IsFirstLogin(page) ? new(true, "the login page asks for a new password")
            : LoginPage.IsSet(page) ? new(false, "the login page asks for the password that is set")
            : Unrecognised(page);
    }

    private static async Task<AuthVerdict> EmptyTokenAsync(AuthProbeContext context, CancellationToken stop)
    {
        if (!(await context.WithoutTokenAsync(stop).ConfigureAwait(false)).IsRefusal)
            return await NotGuardedAsync(context, stop).ConfigureAwait(false);
        var reply = await context.AskAsync(new($"{context.GuardedPath}?token="), stop).ConfigureAwait(false);
        return new(LetsIn(reply), $"{reply.What} with an empty token");
    }

    private static async Task<AuthVerdict> UserDataAsync(AuthProbeContext context, CancellationToken stop)
    {
        if (!(await context.WithoutTokenAsync(stop).ConfigureAwait(false)).IsRefusal)
            return await NotGuardedAsync(context, stop).ConfigureAwait(false);
        var reply = await context.AskAsync(new($"/userdata/{RandomNumberGenerator.GetHexString(32, lowercase: true)}.js") { Method = HttpMethod.Patch }, stop).ConfigureAwait(false);
        var methods = string.Join(", ", reply.AllowedMethods);
        return reply switch
        {
            { Status: 401 } or { Status: >= 300 and < 400, IsRefusal: true } => new(false, $"{reply.What} without a token"),
            { Status: 405 } when reply.AllowedMethods.Contains("POST", StringComparer.OrdinalIgnoreCase) => new(true, $"405 without a token, and {methods} would be allowed"),

            // Files of the frontend may be read, by everyone and under every name.
            { Status: 405, AllowedMethods.Count: > 0 } => new(false, $"405 without a token, and only {methods} would be allowed"),
            _ => new(null, $"{reply.What} without a token"),
        };
    }

    private static async Task<AuthVerdict> GuestModeAsync(AuthProbeContext context, CancellationToken stop)
    {
        var page = await context.PageAsync(stop).ConfigureAwait(false);
        return LoginPage.OffersGuestMode(page) ? new(true, "the login page offers guest mode")
            : LoginPage.IsSet(page) || LoginPage.IsFirstLogin(page) ? new(false, "the login page does not offer guest mode")
            : Unrecognised(page);
    }

    private static Task<AuthVerdict> PublishedInTheClear(AuthProbeContext context, CancellationToken stop)
    {
        var url = context.Service.Url;
        if (context.Input.Bindings is not { } bindings)
            return Told(null, "it is not known where its port is published");

        var outside = bindings.Where(binding => !IPAddress.IsLoopback(binding.Address.IsIPv4MappedToIPv6 ? binding.Address.MapToIPv4() : binding.Address)).Distinct().ToList();
        var places = string.Join(", ", outside);
        return outside.Count == 0 ? Told(false, bindings.Count == 0 ? "it publishes no port" : "published on the loopback only")
            : url.Scheme == Uri.UriSchemeHttps && outside.TrueForAll(binding => binding.Port == url.Port) ? Told(false, $"published on {places}, with TLS")
            : url.Scheme == Uri.UriSchemeHttps ? Told(null, $"published on {places} as well; whether with TLS is not known")
            : Told(true, $"published on {places}, and the url is http");
    }

    private static async Task<AuthVerdict> ForeignOriginAsync(AuthProbeContext context, CancellationToken stop)
    {
        var reply = await context.AskAsync(new(context.GuardedPath) { Origin = ForeignOrigin }, stop).ConfigureAwait(false);
        return reply switch
        {
            { Status: null } => new(null, reply.What),
            { AllowedOrigin: "*" or ForeignOrigin } => new(true, $"{reply.What} to a foreign Origin, and any origin is allowed"),

            // The origin of every sandboxed frame.
            { AllowedOrigin: "null" } => new(true, $"{reply.What} to a foreign Origin, and the origin null is allowed"),
            { AllowedOrigin: { } origin } => new(false, $"{reply.What} to a foreign Origin, and only {origin} is allowed"),
            _ => new(false, $"{reply.What} to a foreign Origin, and no origin is allowed"),
        };
    }

    private static Task<AuthVerdict> TokenInLog(AuthProbeContext context, CancellationToken stop)
    {
        if (context.Input.Log is not { } log)
            return Told(null, "the log was not read");

        var (lines, ours, others) = (0, 0, 0);
        foreach (var line in log)
        {
            lines++;
            if (context.Input.Token is { IsDefault: false } token && line.Contains(token.Reveal(), StringComparison.Ordinal))
                ours++;
            else if (AnyHash().IsMatch(line))
                others++;
        }

        var read = string.Create(CultureInfo.InvariantCulture, $"of {lines} lines of the log");
        return ours > 0 ? Told(true, string.Create(CultureInfo.InvariantCulture, $"{read} {ours} hold the present token"))
            : others > 0 ? Told(true, string.Create(CultureInfo.InvariantCulture, $"{read} {others} hold a bcrypt hash{(context.Input.Token is null ? "" : " that is not the present token")}"))
            : lines == 0 ? Told(null, "the log is empty")
            : Told(false, $"{read} none holds a token");
    }

    private static async Task<AuthVerdict> CookieAttributesAsync(AuthProbeContext context, CancellationToken stop)
    {
        if (context.Input.Proof?.CookieAttributes is { } known)
            return OfCookie(known);
        if (context.Input.Password is not { } password)
            return new(null, "no password is known to log in with");
        var page = await context.PageAsync(stop).ConfigureAwait(false);
        if (!LoginPage.IsSet(page))
            return LoginPage.IsFirstLogin(page) ? new(null, "no login, because the first one would set the password") : Unrecognised(page);
        if (LoginPage.AsksUserName(page) && context.Input.UserName is null)
            return new(null, "no login, because the first one would write a user name into login/PASSWORD");

        var reply = await context.AskAsync(LoginPage.LogIn(password, context.Input.UserName), stop).ConfigureAwait(false);
        if (LoginPage.LetsIn(reply) != true)
            return new(null, LoginPage.LetsIn(reply) == false ? "the web login refuses the password" : $"{reply.What} to the web login");
        return OfCookie(LoginPage.CookieAttributes(reply));
    }

    private static AuthVerdict OfCookie(IReadOnlyList<string> attributes)
    {
        string[] missing = [.. CookieAttributes.Where(name => !attributes.Contains(name, StringComparer.OrdinalIgnoreCase))];
        return missing.Length > 0 ? new(true, $"the session cookie lacks {string.Join(" and ", missing)}") : new(false, "the session cookie has Secure, SameSite and HttpOnly");
    }

    private static async Task<AuthVerdict> MalformedHeaderAsync(AuthProbeContext context, CancellationToken stop)
    {
        if (!(await context.WithoutTokenAsync(stop).ConfigureAwait(false)).IsRefusal)
            return await NotGuardedAsync(context, stop).ConfigureAwait(false);
        var reply = await context.AskAsync(new(context.GuardedPath) { Authorization = "Bearer", WantsBody = true }, stop).ConfigureAwait(false);
        var trace = reply.Body.Contains("Traceback", StringComparison.Ordinal) ? ", and the answer holds the stack trace" : "";
        return new(reply.Status switch { 500 => true, 400 or 401 or 403 => false, _ => null }, $"{reply.What} with a header without a token{trace}");
    }

    private static async Task<AuthVerdict> NoLockoutAsync(AuthProbeContext context, CancellationToken stop) =>
        await IsNodeAsync(context, "as is known of ComfyUI-Login, whose login page this is; not tried", stop).ConfigureAwait(false);

    private static async Task<AuthVerdict> LastingSessionsAsync(AuthProbeContext context, CancellationToken stop) =>
        await IsNodeAsync(context, "as is known of ComfyUI-Login, whose login page this is; not tried", stop).ConfigureAwait(false);

    private static async Task<AuthVerdict> IsNodeAsync(AuthProbeContext context, string evidence, CancellationToken stop)
    {
        var page = await context.PageAsync(stop).ConfigureAwait(false);
        return LoginPage.IsSet(page) || LoginPage.IsFirstLogin(page) ? new(true, evidence) : Unrecognised(page);
    }

    /// <summary>Where a path is not guarded, or not there, nothing can be told of how it is guarded.</summary>
    private static async Task<AuthVerdict> NotGuardedAsync(AuthProbeContext context, CancellationToken stop) =>
        new(null, $"{(await context.WithoutTokenAsync(stop).ConfigureAwait(false)).What} without a token, so there is no login to ask");

    private static AuthVerdict Unrecognised(LoginReply page) =>
        new(null, page.IsFine ? "the login page is not that of ComfyUI-Login" : $"{page.What} instead of a login page");

    private static bool? LetsIn(LoginReply reply) => reply.IsFine ? true : reply.IsRefusal ? false : null;

    private static Task<AuthVerdict> Told(bool? isVulnerable, string evidence) => Task.FromResult(new AuthVerdict(isVulnerable, evidence));

    [GeneratedRegex(@"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}", RegexOptions.CultureInvariant)]
    private static partial Regex AnyHash();
}
