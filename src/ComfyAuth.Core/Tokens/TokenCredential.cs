using ComfyAuth.Secrets;

namespace ComfyAuth.Tokens;

/// <summary>A ComfyUI-Login credential: the bearer token is the bcrypt hash of the web password.</summary>
/// <param name="Hash">The hash: the bearer token.</param>
/// <param name="Password">The password that the hash is of; null where nobody knows it.</param>
/// <param name="UserName">The user name; null where none is set.</param>
public sealed record TokenCredential(BcryptHash Hash, SecretText? Password, string? UserName)
{
    /// <summary>The redacted form.</summary>
    public override string ToString() => Hash.ToString();
}
