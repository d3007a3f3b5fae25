namespace ComfyAuth.Tokens;

/// <summary>What was done about the guest mode of one service, and how it is now. Holds no secret.</summary>
public sealed record GuestModeChange
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The service, as the stack names it.</summary>
    public required string Service { get; init; }

    /// <summary>The container's name.</summary>
    public required string Container { get; init; }

    /// <summary>The state now, by the file that decides it.</summary>
    public required GuestModeState State { get; init; }

    /// <summary>The file: a path of this machine, or <c>container:path</c> where it lies in the container only.</summary>
    public required string File { get; init; }

    /// <summary>Whether the file was made or removed.</summary>
    public required bool IsChanged { get; init; }

    /// <summary>Whether the server's login page agrees with <see cref="State"/>; null: it could not be asked.</summary>
    public required bool? IsProven { get; init; }

    /// <summary>What there is to know, in a sentence or two.</summary>
    public required string Message { get; init; }
}
