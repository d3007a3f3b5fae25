namespace ComfyAuth.Benchmarks;

/// <summary>What one measured process says of itself.</summary>
/// <param name="Documents">Documents that were indexed.</param>
/// <param name="Passages">Passages that they have.</param>
/// <param name="BuildSeconds">From before the documents are looked for until the index is ready.</param>
/// <param name="SearchMilliseconds">The mean of one search.</param>
/// <param name="CpuSeconds">Processor time of the whole process, in the program and in the kernel.</param>
/// <param name="AllocatedBytes">Allocated in the process.</param>
/// <param name="IndexBytes">What the index holds, after a collection.</param>
/// <param name="PeakBytes">The most memory that the process had.</param>
internal sealed record GuidanceRunResult(int Documents, int Passages, double BuildSeconds, double SearchMilliseconds, double CpuSeconds, long AllocatedBytes, long IndexBytes, long PeakBytes);
