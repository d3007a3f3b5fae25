namespace ComfyAuth.Benchmarks;

/// <summary>What one process found and took.</summary>
/// <param name="Notebooks">How many notebooks it read.</param>
/// <param name="Bad">How many begin with a byte order mark or are not JSON.</param>
/// <param name="CpuSeconds">Of all its threads.</param>
/// <param name="PeakBytes">The most memory it held.</param>
internal sealed record NotebookRunResult(long Notebooks, long Bad, double CpuSeconds, long PeakBytes)
{
    /// <summary>From start to end, seen from outside.</summary>
    public double Seconds { get; init; }
}
