namespace ComfyAuth.Compose;

/// <summary>One published port of a container.</summary>
public sealed record ComposePort
{
    /// <summary>The port in the container.</summary>
    public required int Target { get; init; }

    /// <summary>The first port of the host that may be taken; null when the engine picks a free one.</summary>
    public int? Published { get; init; }

    /// <summary>The last port of the host that may be taken; the same as <see cref="Published"/> but for a range.</summary>
    public int? PublishedTo { get; init; }

    /// <summary>The address of the host that it is bound to; null for all of them.</summary>
    public string? HostAddress { get; init; }

    /// <summary><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</summary>
    public string Protocol { get; init; } = "tcp";

    /// <summary>Where it is written.</summary>
    public required ComposePlace Place { get; init; }

    /// <summary>Whether every interface of the host answers on it.</summary>
    public bool IsOnAllInterfaces => HostAddress is null or "0.0.0.0" or "::";
}
