namespace ComfyAuth.Validation;

/// <summary>How one part of a stack does.</summary>
public sealed record ComponentScore
{
    /// <summary>The part.</summary>
    public required StackComponent Component { get; init; }

    /// <summary>From 0 to 100; null where nothing could be determined.</summary>
    public required int? Score { get; init; }

    /// <summary>What is to be thought of it.</summary>
    public required Verdict Status { get; init; }

    /// <summary>How much of its checks, by weight, could be determined, in percent; null where there is none.</summary>
    public required int? Coverage { get; init; }

    /// <summary>How the checks ended, and which failed, in a sentence or two.</summary>
    public required string Notes { get; init; }
}
