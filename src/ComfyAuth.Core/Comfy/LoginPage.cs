using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>What the login page of ComfyUI-Login gives away about its state, which no status does (commit 69109257).</summary>
internal static class LoginPage
{
    public const string Path = "/login";

    /// <summary>No password is set: who sends the form first sets it.</summary>
    public static bool IsFirstLogin(LoginReply page) => page.IsFine && page.Body.Contains("For your first login", StringComparison.Ordinal);

    /// <summary>A password is set.</summary>
    public static bool IsSet(LoginReply page) => page.IsFine && page.Body.Contains("Welcome back", StringComparison.Ordinal) && !IsFirstLogin(page);

    /// <summary>Who logs in first writes a user name into the file of the password.</summary>
    public static bool AsksUserName(LoginReply page) => page.Body.Contains("name=\"username\"", StringComparison.Ordinal);

    /// <summary>It offers to come in as a guest.</summary>
    public static bool OffersGuestMode(LoginReply page) => page.IsFine && page.Body.Contains("value=\"Guest Mode\"", StringComparison.Ordinal);

    /// <summary>Sends the form, for which the server runs a bcrypt. Only to be asked where <see cref="IsSet"/>.</summary>
    /// <remarks>Without a user name the node would empty its file, should it want to write one there.</remarks>
    public static LoginQuestion LogIn(SecretText password, string? userName) => new(Path)
    {
        Method = HttpMethod.Post,
        Form = new Dictionary<string, string> { ["username"] = userName ?? "admin", ["password"] = password.Reveal() },
    };

    /// <summary>Whether a login was let in: true, refused: false, or neither: null. Only the address it leads to tells.</summary>
    public static bool? LetsIn(LoginReply reply) => reply switch
    {
        { Status: not 302 } or { Location: null } => null,
        { Location.Query: var query } when query.Contains("wrong_password", StringComparison.Ordinal) => false,

        // It is / to the node; a proxy may have put a folder before it.
        { Location.AbsolutePath: var path } when !path.EndsWith(Path, StringComparison.Ordinal) && reply.Cookies.Any(IsSession) => true,
        _ => null,
    };

    /// <summary>The names of the attributes of the session cookie of a reply that lets in.</summary>
    public static IReadOnlyList<string> CookieAttributes(LoginReply reply) =>
        [.. reply.Cookies.First(IsSession).Split(';').Skip(1).Select(part => part.Split('=')[0].Trim())];

    /// <summary>The session cookie of aiohttp_session.</summary>
    public static bool IsSession(string cookie) => cookie.StartsWith("AIOHTTP_SESSION=", StringComparison.Ordinal);
}
