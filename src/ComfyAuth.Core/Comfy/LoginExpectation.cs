using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>What a login should take now. What is null is not asked.</summary>
public sealed record LoginExpectation
{
    /// <summary>The bearer token that must be accepted.</summary>
    public BcryptHash? Token { get; init; }

    /// <summary>The password that must open the web login.</summary>
    public SecretText? Password { get; init; }

    /// <summary>
    /// The user name to log in with. ComfyUI-Login looks at the password alone, but where its file has no user name yet it writes
    /// the one of the first login there: without a name, the web login is then not tried.
    /// </summary>
    public string? UserName { get; init; }

    /// <summary>The token from before a change, which must be refused now.</summary>
    public BcryptHash? OldToken { get; init; }
}
