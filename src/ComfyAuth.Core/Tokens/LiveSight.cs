using ComfyAuth.Comfy;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tokens;

/// <summary>What was seen of one service's container and server.</summary>
internal sealed record LiveSight
{
    public required ContainerDetails Container { get; init; }

    /// <summary>Whether Compose made it, so that it can be recreated.</summary>
    public required bool IsFromCompose { get; init; }

    /// <summary>The variables that Compose would give it today; null where that cannot be told.</summary>
    public required IReadOnlyList<ComposeVariable>? Today { get; init; }

    /// <summary>Why <see cref="Today"/> is not known, as a clause; null where there is nothing to tell.</summary>
    public required string? Obstacle { get; init; }

    public required TokenCredential? Truth { get; init; }

    public required IReadOnlyList<LivePassword> Passwords { get; init; }

    /// <summary>What the server answered; null where it was not asked.</summary>
    public required LoginProof? Proof { get; init; }

    /// <summary>Another token that is or was in use, which the server was asked for.</summary>
    public required BcryptHash? OldToken { get; init; }

    public required DateTimeOffset? ServerStartedAt { get; init; }
}
