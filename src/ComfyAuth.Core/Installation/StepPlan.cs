namespace ComfyAuth.Installation;

/// <summary>What a step found, and what it has to change.</summary>
/// <param name="Message">What was found, in a sentence.</param>
/// <param name="Evidence">Out of what that is concluded, a line each.</param>
internal sealed record StepPlan(string Message, params IReadOnlyList<string> Evidence)
{
    /// <summary>The changes that are to be made, in their order; none where all is as it should be.</summary>
    public IReadOnlyList<PlannedInstallChange> Changes { get; init; } = [];

    /// <summary>Whether the step does not apply here; the message says why.</summary>
    public bool IsSkipped { get; init; }
}
