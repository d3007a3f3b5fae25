namespace ComfyAuth.Tokens;

/// <summary>Whether the places of one service agree with its source of truth. Holds no secret.</summary>
public sealed record TokenValidation
{
    /// <summary>The stack's root folder.</summary>
    public required string Stack { get; init; }

    /// <summary>The service.</summary>
    public required string Service { get; init; }

    /// <summary>
    /// True: the source is sound and every place agrees. False: something is wrong.
    /// Null: nothing is known to be wrong, but something could not be checked.
    /// </summary>
    public required bool? IsValid { get; init; }

    /// <summary>Fingerprint of the source's hash; null where there is none.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Whether bcrypt says that the hash is of the source's password; null where the password is not known.</summary>
    public bool? PasswordVerified { get; init; }

    /// <summary>How many places agree.</summary>
    public required int Matching { get; init; }

    /// <summary>How many places are wrong.</summary>
    public required int Faulty { get; init; }

    /// <summary>How many places could not be checked.</summary>
    public required int Undetermined { get; init; }

    /// <summary>The faults and gaps, one line each.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];
}
