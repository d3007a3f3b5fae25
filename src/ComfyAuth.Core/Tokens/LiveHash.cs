using ComfyAuth.Secrets;

namespace ComfyAuth.Tokens;

/// <summary>A hash that stands in a container.</summary>
/// <param name="Service">The service that the container is of.</param>
/// <param name="Location">Where: <c>container:/path</c> or <c>container#VARIABLE</c>.</param>
/// <param name="Hash">The hash.</param>
/// <param name="Password">What it is of, by bcrypt; null where nothing in the container's environment is.</param>
public sealed record LiveHash(string Service, string Location, BcryptHash Hash, SecretText? Password);
