namespace ComfyAuth.Comfy;

/// <summary>What one rule of <see cref="AuthProbe"/> found out about one service. Holds no secret.</summary>
public sealed record AuthFinding
{
    /// <summary>The name of the service.</summary>
    public required string Service { get; init; }

    /// <summary>The rule, such as <c>empty-token</c>; <see cref="AuthProbe.Rules"/> tells what it is about.</summary>
    public required string Id { get; init; }

    /// <summary>The weakness, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>How bad the weakness is where it is there.</summary>
    public required AuthFindingSeverity Severity { get; init; }

    /// <summary>Whether every ComfyUI-Login has the weakness, however it is set up.</summary>
    public bool IsInherent { get; init; }

    /// <summary>Whether the weakness is there; null: it could not be told.</summary>
    public required bool? IsVulnerable { get; init; }

    /// <summary>What that is concluded from, as a clause.</summary>
    public required string Evidence { get; init; }

    /// <summary>What to do, as sentences; empty where the weakness was not found.</summary>
    public required string Remedy { get; init; }
}
