using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>
/// The ComfyUI-Login node: who is let in, and the login page. It keeps the first line of its file twice, as the real one does:
/// as the bearer token, read at the start, and for the web login, read when somebody first comes to it.
/// </summary>
internal sealed partial class LoginNode
{
    private const string Cookie = "AIOHTTP_SESSION";
    private const int NewHashCost = 12;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _file;
    private readonly string? _corsOrigin;
    private readonly ServerLog _log;

    // Whether it is a guest's.
    private readonly Dictionary<string, bool> _sessions = new(StringComparer.Ordinal);

    // During a bcrypt the real server answers nobody.
    private readonly Lock _busy = new();
    private string _token = "";
    private WebLogin? _web;
    private bool _isGuarding;

    public LoginNode(string file, string? corsOrigin, ServerLog log)
    {
        (_file, _corsOrigin, _log) = (Path.GetFullPath(file), corsOrigin, log);
        Load();
    }

    private string Folder => Path.GetDirectoryName(_file)!;

    /// <summary>Starts as with the program: reads the file, after it has moved that of an old installation over it.</summary>
    public void Load()
    {
        lock (_busy)
        {
            (_web, _token, _isGuarding) = (null, "", false);
            try
            {
                Directory.CreateDirectory(Folder);
                if (Path.GetFileName(Folder) == "login" && Path.Combine(Path.GetDirectoryName(Folder)!, "PASSWORD") is var old && File.Exists(old))
                    File.Move(old, _file, overwrite: true);
                LoadToken();
                _isGuarding = true;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or DecoderFallbackException)
            {
                // The real node puts its guard up after this, so a file that it cannot read leaves everything open.
                _log.Write($"Cannot import /app/ComfyUI/custom_nodes/ComfyUI-Login module for custom nodes: {error.Message}");
            }
        }
    }

    /// <summary>Forgets every session: their key lies in the node's folder, and goes with the container.</summary>
    public void ForgetSessions()
    {
        lock (_busy)
            _sessions.Clear();
    }

    /// <summary>Answers what is the login's to answer.</summary>
    /// <returns>Whether it did; else the request is let in.</returns>
    public async Task<bool> AnswerAsync(HttpContext context)
    {
        LoginAnswer? answer;
        try
        {
            var form = context.Request is { Path.Value: "/login", HasFormContentType: true } ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
            lock (_busy)
                answer = context.Request.Path.Value == "/login" ? AnswerLogin(context.Request, form) : Refusal(context.Request);
        }
        catch (Exception error) when (error is NodeFailure or DecoderFallbackException or UnauthorizedAccessException or InvalidDataException or IOException && !context.RequestAborted.IsCancellationRequested)
        {
            answer = new(StatusCodes.Status500InternalServerError, "500 Internal Server Error\n\nServer got itself in trouble");
        }

        if (answer is null)
            return false;
        if (answer.Location is { } location)
            context.Response.Headers.Location = location;
        if (answer.NewSession is { } session)
            context.Response.Headers.SetCookie = $"{Cookie}=\"{session}\"; HttpOnly; Path=/";
        await context.WriteTextAsync(answer.Body, answer.Status, answer.ContentType);
        return true;
    }

    private LoginAnswer? Refusal(HttpRequest request)
    {
        if (!_isGuarding || NeverAsks().IsMatch(request.Path.Value ?? ""))
            return null;
        if (_token.Length == 0)
            LoadToken();
        if (HasSession(request, ofGuest: false))
            return null;
        if (HasSession(request, ofGuest: true))
            return IsForGuests(request) ? null : new(StatusCodes.Status200OK, "{}", "application/json; charset=utf-8");
        if (HasToken(request))
            return null;
        return request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal)
            ? LoginAnswer.Redirect("/login")
            : new(StatusCodes.Status401Unauthorized, "{\"error\": \"Authentication required.\"}", "application/json; charset=utf-8");
    }

    private bool HasToken(HttpRequest request)
    {
        if (_corsOrigin is not (null or "*") && _corsOrigin != request.Headers.Origin)
            return false;

        if (request.Headers.Authorization.ToString() is { Length: > 0 } header)
        {
            // Anything but two words is more than the node can take.
            var words = header.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2)
                throw new NodeFailure();
            if (words[0] == "Bearer" && words[1] == _token)
                return true;
        }

        // Without a password the token is empty, and so is the key to everything. The name counts in this letter case only.
        return request.Query.Any(one => one.Key == "token" && one.Value[0] == _token);
    }

    private bool HasSession(HttpRequest request, bool ofGuest) =>
        request.Cookies.TryGetValue(Cookie, out var session) && _sessions.TryGetValue(session.Trim('"'), out var isGuest) && isGuest == ofGuest;

    /// <summary>What a guest may do; anything else has an empty object for an answer, and no effect.</summary>
    private static bool IsForGuests(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || (HttpMethods.IsPost(request.Method) && request.Path.Value is "/prompt" or "/upload/image");

    private LoginAnswer AnswerLogin(HttpRequest request, IFormCollection? form)
    {
        if (HttpMethods.IsPost(request.Method))
            return LogIn(form);
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            return new(StatusCodes.Status405MethodNotAllowed, "405: Method Not Allowed");
        return HasSession(request, ofGuest: false) ? LoginAnswer.Redirect("/") : new(StatusCodes.Status200OK, Page(request), "text/html; charset=utf-8");
    }

    private string Page(HttpRequest request)
    {
        var first = !Path.Exists(_file);
        var userName = first ? null : Web().UserName;
        return $"""
            <!DOCTYPE html>
            <html><head><title>ComfyUI - Login</title></head><body>
            {(request.Query["wrong_password"].ToString().Length > 0 ? "<p>Wrong Password.</p>" : "")}
            <p>{(first ? "For your first login, please enter a new username and password." : $"Welcome back, {System.Net.WebUtility.HtmlEncode(userName ?? "None")}!")}</p>
            <form method="post">{(userName is null ? "<input name=\"username\" required>" : "")}<input name="password" type="password" required>{(File.Exists(Path.Combine(Path.GetDirectoryName(_file)!, "GUEST_MODE")) ? "<input type=\"button\" value=\"Guest Mode\">" : "")}</form>
            </body></html>

            """;
    }

    private LoginAnswer LogIn(IFormCollection? form)
    {
        if (form is null || !form.TryGetValue("password", out var password))
            throw new NodeFailure();
        if (form["guest_mode"] == "1" && File.Exists(Path.Combine(Folder, "GUEST_MODE")))
            return Admit(isGuest: true);

        var userName = form.TryGetValue("username", out var names) ? names.ToString() : null;
        if (!Path.Exists(_file))
        {
            Write(Hash(password.ToString()), userName ?? throw new NodeFailure());
        }
        else
        {
            var web = Web();
            if (web.Hash.Length == 0 || !Verify(password.ToString(), web.Hash))
                return LoginAnswer.Redirect("/login?wrong_password=1");
            if (web.UserName is null)
                Write(web.Hash, userName ?? throw new NodeFailure());
        }

        return Admit(isGuest: false);
    }

    private LoginAnswer Admit(bool isGuest)
    {
        var session = RandomNumberGenerator.GetHexString(64);
        _sessions.Add(session, isGuest);
        return LoginAnswer.Redirect("/") with { NewSession = session };
    }

    /// <summary>The file as the web login has it: bytes up to the first line feed, a carriage return included.</summary>
    private WebLogin Web()
    {
        if (_web is { } known)
            return known;
        var lines = Encoding.UTF8.GetString(File.ReadAllBytes(_file)).Split('\n');
        var userName = lines.Length > 1 ? lines[1].Trim() : "";
        return _web = new(lines[0], userName.Length == 0 ? null : userName);
    }

    private void Write(string hash, string userName)
    {
        File.WriteAllText(_file, $"{hash}\n{userName}");
        _web = new(hash, userName);
    }

    /// <summary>The first line without the space around it; a byte order mark is no space.</summary>
    private void LoadToken()
    {
        if (!Path.Exists(_file))
        {
            _log.Write("Please set up your password before use. The token will be a hashed string derived from your password.");
            return;
        }

        _token = Strict.GetString(File.ReadAllBytes(_file)).Split('\n')[0].Trim();
        _log.Write($"For direct API calls, use token={_token}");
    }

    private static string Hash(string password)
    {
        try
        {
            return Bcrypt.Hash(new(password), NewHashCost).Reveal();
        }
        catch (Exception error) when (error is ComfyAuthException or ArgumentException)
        {
            throw new NodeFailure();
        }
    }

    private static bool Verify(string password, string stored)
    {
        // A carriage return spoils no salt, but it makes the comparison of the whole fail.
        if (!BcryptHash.TryParse(stored.TrimEnd('\r'), out var hash) || Encoding.UTF8.GetByteCount(password) > Bcrypt.MaximumPasswordBytes)
            throw new NodeFailure();
        return password.Length > 0 && Bcrypt.Verify(new(password), hash) && !stored.EndsWith('\r');
    }

    [GeneratedRegex(@"\.(css|css\.map|js|ico)\z")]
    private static partial Regex NeverAsks();

    private sealed record LoginAnswer(int Status, string Body, string ContentType = "text/plain; charset=utf-8")
    {
        public string? Location { get; private init; }

        public string? NewSession { get; init; }

        public static LoginAnswer Redirect(string location) => new(StatusCodes.Status302Found, "302: Found") { Location = location };
    }

    private sealed record WebLogin(string Hash, string? UserName);

    /// <summary>An exception in the real node, which its server answers with 500.</summary>
    private sealed class NodeFailure : Exception;
}
