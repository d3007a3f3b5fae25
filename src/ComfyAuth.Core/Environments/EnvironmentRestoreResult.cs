namespace ComfyAuth.Environments;

/// <summary>What restoring did to a service's <c>.env</c> file. Holds no secret.</summary>
public sealed record EnvironmentRestoreResult
{
    /// <summary>The stack's root folder.</summary>
    public required string Stack { get; init; }

    /// <summary>The service.</summary>
    public required string Service { get; init; }

    /// <summary>The file, as a full path.</summary>
    public required string Path { get; init; }

    /// <summary>What was done.</summary>
    public required EnvironmentAction Action { get; init; }

    /// <summary>The backup that was made, as a full path; null where none was needed or wanted.</summary>
    public string? Backup { get; init; }

    /// <summary>Whether the file now has what its service needs.</summary>
    public required bool IsValid { get; init; }

    /// <summary>Variables that were added.</summary>
    public required IReadOnlyList<string> Added { get; init; }

    /// <summary>Variables that were set to another value.</summary>
    public required IReadOnlyList<string> Changed { get; init; }

    /// <summary>Required variables that nobody but the user can fill in.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>Variables whose value cannot be right, each with the reason.</summary>
    public required IReadOnlyList<string> Invalid { get; init; }

    /// <summary>What is worth knowing about the file.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What to do next, in order.</summary>
    public required IReadOnlyList<string> NextSteps { get; init; }
}
