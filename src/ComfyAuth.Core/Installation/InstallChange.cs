namespace ComfyAuth.Installation;

/// <summary>One thing that an installation did to the machine, or was about to do.</summary>
/// <param name="Run">The number of the run that did it, from 1.</param>
/// <param name="Step">In which step.</param>
/// <param name="Kind">What was done.</param>
/// <param name="Target">To what; a path of the stack is relative to its root, with <c>/</c> between folders.</param>
internal sealed record InstallChange(int Run, InstallStepName Step, InstallChangeKind Kind, string Target);
