namespace ComfyAuth.Environments;

/// <summary>Whether a <c>.env</c> file has what its service needs. Holds no secret.</summary>
public sealed record EnvironmentValidation
{
    /// <summary>The stack's root folder.</summary>
    public required string Stack { get; init; }

    /// <summary>The service.</summary>
    public required string Service { get; init; }

    /// <summary>The file, as a full path.</summary>
    public required string Path { get; init; }

    /// <summary>Whether nothing is missing and nothing is invalid.</summary>
    public bool IsValid => Missing.Count == 0 && Invalid.Count == 0;

    /// <summary>Required variables that are not there, are empty, or still hold a placeholder.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>Variables whose value cannot be right, each with the reason.</summary>
    public required IReadOnlyList<string> Invalid { get; init; }

    /// <summary>What is worth knowing about the file, for example variables that have no effect.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    internal string Problems => string.Join("; ", Missing.Select(name => $"{name} is missing").Concat(Invalid));
}
