namespace ComfyAuth.Containers;

/// <summary>How the wait for one container ended.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Message">Why, in a sentence without secrets.</param>
/// <param name="Elapsed">How long was waited.</param>
/// <param name="Diagnosis">What was seen last.</param>
public sealed record ContainerWaitResult(ContainerWaitOutcome Outcome, string Message, TimeSpan Elapsed, ContainerDiagnosis Diagnosis);
