namespace ComfyAuth.Benchmarks;

/// <summary>What one process took.</summary>
/// <param name="CpuSeconds">Of all its threads.</param>
/// <param name="PeakBytes">The most memory it held.</param>
internal sealed record ModelRunResult(double CpuSeconds, long PeakBytes);
