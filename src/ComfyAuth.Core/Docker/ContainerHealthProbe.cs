namespace ComfyAuth.Docker;

/// <summary>One run of a healthcheck. The engine keeps the last five, with at most 4096 bytes of output.</summary>
/// <param name="StartedAt">When it started.</param>
/// <param name="EndedAt">When it ended; null while unknown.</param>
/// <param name="ExitCode">0: passed; -1: it ran into its timeout.</param>
/// <param name="Output">What the command printed; it can hold secrets.</param>
public sealed record ContainerHealthProbe(DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, int ExitCode, string Output);
