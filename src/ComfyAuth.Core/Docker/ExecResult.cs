namespace ComfyAuth.Docker;

/// <summary>What a command in a container gave.</summary>
/// <param name="ExitCode">0 by convention when it succeeded; 126 or 127 when it could not be started.</param>
/// <param name="StandardOutput">What it printed, at most 4 MiB; it can hold secrets.</param>
/// <param name="StandardError">What it printed as errors, at most 4 MiB; it can hold secrets.</param>
/// <param name="IsTruncated">Whether it printed more than that.</param>
public sealed record ExecResult(int ExitCode, string StandardOutput, string StandardError, bool IsTruncated);
