using System.Net;
using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>What is known of a service beside its own answers. What is null is not known, and what depends on it cannot be told.</summary>
public sealed record AuthProbeInput
{
    /// <summary>The bearer token, to look for in the log. It is not sent.</summary>
    public BcryptHash? Token { get; init; }

    /// <summary>The password, to get a session cookie with; one login is tried.</summary>
    public SecretText? Password { get; init; }

    /// <summary>The user name for that login; see <see cref="LoginExpectation.UserName"/>.</summary>
    public string? UserName { get; init; }

    /// <summary>What was proven with this password and name a moment ago; a login that it has is not made again.</summary>
    internal LoginProof? Proof { get; init; }

    /// <summary>The last lines of the container's log, as they are.</summary>
    public IEnumerable<string>? Log { get; init; }

    /// <summary>The addresses of the host that the service's port is published on; those it listens on itself where it is on the host's network.</summary>
    public IReadOnlyList<IPEndPoint>? Bindings { get; init; }
}
