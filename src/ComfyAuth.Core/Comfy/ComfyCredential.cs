using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>How a client of ComfyUI proves who it is. Shows no secret.</summary>
public sealed class ComfyCredential
{
    private ComfyCredential()
    {
    }

    /// <summary>It does not: for a service without a login.</summary>
    public static ComfyCredential None { get; } = new();

    internal BcryptHash? Token { get; private init; }

    internal string UserName { get; private init; } = "";

    internal SecretText? Password { get; private init; }

    /// <summary>The bearer token of ComfyUI-Login.</summary>
    /// <param name="token">The hash of the web password; null or <c>default</c> for none.</param>
    public static ComfyCredential Bearer(BcryptHash? token) => token is { IsDefault: false } ? new() { Token = token } : None;

    /// <summary>A session of the web login, as a browser has one.</summary>
    /// <param name="userName">The user name; ComfyUI-Login ignores it.</param>
    /// <param name="password">The web password.</param>
    public static ComfyCredential Session(string userName, SecretText password)
    {
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(password);
        return new() { UserName = userName, Password = password };
    }

    /// <summary>What it is: <c>no credential</c>, <c>the token</c> with its fingerprint, or <c>the web password</c>.</summary>
    public override string ToString() => Token is { } token ? $"the token {token.Fingerprint}" : Password is null ? "no credential" : "the web password";
}
