namespace ComfyAuth.Compose;

/// <summary>One fault that interpolation left in a value.</summary>
public sealed record InterpolationProblem
{
    /// <summary>What happened.</summary>
    public required InterpolationProblemKind Kind { get; init; }

    /// <summary>The setting whose value it is, such as <c>services.web.environment.HF_TOKEN</c>.</summary>
    public required string Setting { get; init; }

    /// <summary>Where the run stands that was taken for a variable; in an environment file if it is lost there already.</summary>
    public required ComposePlace Place { get; init; }

    /// <summary>
    /// The variable: the one that is missing, or for a fault in an environment file the one that has the fault. Null where
    /// the name may be a piece of a secret.
    /// </summary>
    public string? Variable { get; init; }

    /// <summary>What happened, as a clause without a full stop and without the value.</summary>
    public required string Message { get; init; }
}
