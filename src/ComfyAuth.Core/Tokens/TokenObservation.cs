using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>What one place of a stack says about a credential. Holds no secret: values show as fingerprints.</summary>
public sealed record TokenObservation
{
    /// <summary>The stack's root folder.</summary>
    public required string Stack { get; init; }

    /// <summary>The service whose credential it is.</summary>
    public required string Service { get; init; }

    /// <summary>The layer that the place is in.</summary>
    public TokenLayer Layer { get; init; }

    /// <summary>
    /// The place: <c>path</c> or <c>path#VARIABLE</c>, relative to the root; in a container <c>container#VARIABLE</c> or
    /// <c>container:/path</c>; of a server its address.
    /// </summary>
    public required string Location { get; init; }

    /// <summary>The file, as a full path; of the layers that are no files of this machine the same as <see cref="Location"/>.</summary>
    public required string Path { get; init; }

    /// <summary>The line in the file, from 1; null where the file has no lines of its own or the value is missing.</summary>
    public int? Line { get; init; }

    /// <summary>Whether this place is the source of truth itself.</summary>
    public bool IsSource { get; init; }

    /// <summary>Which part of the credential stands here.</summary>
    public required TokenRole Role { get; init; }

    /// <summary>What is the matter with it.</summary>
    public required TokenState State { get; init; }

    /// <summary>Fingerprint of what stands here; null where nothing readable does, and for user names.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Fingerprint of what should stand here; null where that is not known.</summary>
    public string? Expected { get; init; }

    /// <summary>What was seen that led to <see cref="State"/>.</summary>
    public string Evidence { get; init; } = "";

    /// <summary>What to do about it; empty where nothing need be done.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Whether the state is a fault, as opposed to fine or not known.</summary>
    public bool IsFault => State is not (TokenState.Match or TokenState.Unreadable or TokenState.Undetermined);
}
