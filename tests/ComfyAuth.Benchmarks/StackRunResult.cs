namespace ComfyAuth.Benchmarks;

/// <summary>What one measured process says of itself.</summary>
/// <param name="Places">Places that were looked at.</param>
/// <param name="Wrong">Places that are wrong at the end.</param>
/// <param name="Changed">Places that were changed.</param>
/// <param name="Computations">How often bcrypt was computed.</param>
/// <param name="CpuSeconds">Processor time of the whole process, in the program and in the kernel: the load of the machine hardly changes it.</param>
/// <param name="AllocatedBytes">Allocated in the process.</param>
/// <param name="Collections">Garbage collections.</param>
/// <param name="WorkingSetBytes">Memory held at the end.</param>
internal sealed record StackRunResult(int Places, int Wrong, int Changed, int Computations, double CpuSeconds, long AllocatedBytes, int Collections, long WorkingSetBytes);
