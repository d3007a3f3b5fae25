namespace ComfyAuth.Comfy;

/// <summary>What a login takes and what it refuses, as the live server answered. Holds no secret.</summary>
/// <remarks>A reading is null where it was not asked for, or where the answer does not tell, as no answer and status 500 do not.</remarks>
public sealed record LoginProof
{
    /// <summary>The name of the service.</summary>
    public required string Service { get; init; }

    /// <summary>Where it was asked: scheme, host, port and path.</summary>
    public required string Address { get; init; }

    /// <summary>True: all that was asked is as expected. False: something is not. Null: nothing is against it, but not all could be told.</summary>
    public bool? IsProven { get; init; }

    /// <summary>Whether a request without a token is refused, and one with an empty token as well.</summary>
    public bool? RefusesNoToken { get; init; }

    /// <summary>Whether a well-formed token that nobody has is refused.</summary>
    public bool? RefusesWrongToken { get; init; }

    /// <summary>Whether the expected token is accepted, in a request that is refused without one.</summary>
    public bool? AcceptsToken { get; init; }

    /// <summary>Whether the web login takes the password.</summary>
    public bool? AcceptsPassword { get; init; }

    /// <summary>Whether the websocket opens with the expected token, and not without one.</summary>
    public bool? AcceptsWebSocket { get; init; }

    /// <summary>Whether the token from before the change is refused.</summary>
    public bool? RefusesOldToken { get; init; }

    /// <summary>The names of the attributes of the session cookie that the web login gave, in any case; null where it gave none.</summary>
    internal IReadOnlyList<string>? CookieAttributes { get; init; }

    /// <summary>What was asked and what came of it, a clause each.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>What to do, as sentences; empty where it is proven.</summary>
    public string Remedy { get; init; } = "";
}
