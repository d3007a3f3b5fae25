namespace ComfyAuth.Tokens;

/// <summary>ComfyUI-Login's file as it stands in a container, or why it could not be read.</summary>
/// <param name="Path">Where it stands in the container, or should.</param>
internal sealed record LivePassword(string Path)
{
    /// <summary>What it means to ComfyUI-Login that there is no password.</summary>
    public const string Hole = "Without a password an empty token has full access, and the first visitor of the web login sets the password.";

    /// <summary>What it means to ComfyUI-Login that there is something it cannot read: its module fails to load before it has put up its guard.</summary>
    public const string NotLoaded = "ComfyUI-Login does not load where it cannot read its file as UTF-8 text: a server that starts so lets everybody in, without a token.";

    /// <summary>The content; null where <see cref="Problem"/> says why there is none.</summary>
    public byte[]? Content { get; init; }

    /// <summary>When it was written last, by the clock of the engine's machine.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }

    /// <summary><see cref="TokenState.Missing"/> on the host, <see cref="TokenState.OpenWithoutPassword"/>, <see cref="TokenState.IsDirectory"/> or <see cref="TokenState.Unreadable"/>.</summary>
    public TokenState? Problem { get; init; }

    public string Evidence { get; init; } = "";

    /// <summary>What to do about <see cref="Problem"/>, where this is known here already; else empty.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Whether it is the file of an older version, which is moved over the present one at the next start.</summary>
    public bool IsOlder { get; init; }

    public static LivePassword Unreadable(string path, string evidence, string remedy = "") =>
        new(path) { Problem = TokenState.Unreadable, Evidence = evidence, Remedy = remedy };
}
