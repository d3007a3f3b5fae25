using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>What synchronising did at one place, and how the place is now. Holds no secret.</summary>
public sealed record TokenSyncResult
{
    /// <summary>The stack's root folder.</summary>
    public required string Stack { get; init; }

    /// <summary>The service whose credential it is.</summary>
    public required string Service { get; init; }

    /// <summary>The place: <c>path</c> or <c>path#VARIABLE</c>, relative to the root.</summary>
    public required string Location { get; init; }

    /// <summary>The file, as a full path.</summary>
    public required string Path { get; init; }

    /// <summary>Whether this place is the source of truth itself.</summary>
    public bool IsSource { get; init; }

    /// <summary>Which part of the credential stands here.</summary>
    public required TokenRole Role { get; init; }

    /// <summary>The state before, against the credential that the run made true.</summary>
    public required TokenState Before { get; init; }

    /// <summary>What was done.</summary>
    public required TokenAction Action { get; init; }

    /// <summary>The state after, read from the disk again.</summary>
    public required TokenState State { get; init; }

    /// <summary>Fingerprint of what stood here before; null where nothing readable did.</summary>
    public string? OldFingerprint { get; init; }

    /// <summary>Fingerprint of what stands here now; null where nothing readable does.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>What was seen, before the change.</summary>
    public string Evidence { get; init; } = "";

    /// <summary>What is left to do; empty where nothing is.</summary>
    public string Remedy { get; init; } = "";
}
