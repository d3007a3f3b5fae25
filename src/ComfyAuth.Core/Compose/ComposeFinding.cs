namespace ComfyAuth.Compose;

/// <summary>One place where a compose file breaks a rule. Holds no secret.</summary>
public sealed record ComposeFinding
{
    /// <summary>The rule, such as <c>no-restart-policy</c>; <see cref="ComposeLint.Rules"/> tells what it is about.</summary>
    public required string RuleId { get; init; }

    /// <summary>How much it matters.</summary>
    public required FindingSeverity Severity { get; init; }

    /// <summary>The service; null when it is about the file as a whole.</summary>
    public string? Service { get; init; }

    /// <summary>The file's full path; an environment file where the fault stands there.</summary>
    public required string File { get; init; }

    /// <summary>1-based line.</summary>
    public required int Line { get; init; }

    /// <summary>1-based column.</summary>
    public required int Column { get; init; }

    /// <summary>What is wrong here and why it matters, as sentences.</summary>
    public required string Message { get; init; }

    /// <summary>What to do, as a sentence.</summary>
    public required string Fix { get; init; }
}
