namespace ComfyAuth.Validation;

/// <summary>One row of the conformity matrix.</summary>
public sealed record ConformityEntry
{
    /// <summary>What is judged.</summary>
    public required ConformityArea Area { get; init; }

    /// <summary>Whether it is as it should be.</summary>
    public required Conformity Conformity { get; init; }

    /// <summary>Out of what that is concluded, in a sentence or two.</summary>
    public required string Notes { get; init; }
}
