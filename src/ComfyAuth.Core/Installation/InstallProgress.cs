namespace ComfyAuth.Installation;

/// <summary>How far an installation is.</summary>
/// <param name="Step">The step that is under way.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Count">How many steps there are.</param>
/// <param name="Status">What it is at, without a secret.</param>
/// <param name="Done">How much of it is done, in any unit.</param>
/// <param name="Total">How much there is, in the same unit; null where that is not known.</param>
/// <param name="TimeLeft">How long the rest of it takes; null where that cannot be told.</param>
public sealed record InstallProgress(InstallStepName Step, int Number, int Count, string Status, long Done = 0, long? Total = null, TimeSpan? TimeLeft = null);
