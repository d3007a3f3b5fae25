namespace ComfyAuth.Containers;

/// <summary>How the wait for one container ended.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Message">Why, in a sentence without secrets.</param>
/// <param name="Elapsed">How long was waited.</param>
/// <param name="Diagnosis">What was seen last.</param>
public sealed record ContainerWaitResult(ContainerWaitOutcome Outcome, string Message, TimeSpan Elapsed, ContainerDiagnosis Diagnosis)
{
    /// <summary>What to do about it; empty when nothing. To wait on, which the diagnosis may say, is not all that is left to do.</summary>
    public string Remedy => Outcome switch
    {
        ContainerWaitOutcome.TimedOut when !Diagnosis.IsFault => "Wait again, with a longer timeout.",
        ContainerWaitOutcome.Stalled when !Diagnosis.IsFault => $"See what it hangs at with 'docker logs {Diagnosis.Container}', then restart it; or wait with a longer stall timeout.",
        ContainerWaitOutcome.Undetermined when Diagnosis.Condition != ContainerCondition.Unknown => "Give the container a healthcheck, or wait until it is ready instead.",
        _ => Diagnosis.Remedy,
    };
}
