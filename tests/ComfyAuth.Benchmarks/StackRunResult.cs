namespace ComfyAuth.Benchmarks;

/// <summary>What one measured process says of itself.</summary>
/// <param name="Places">Places that were looked at.</param>
/// <param name="Wrong">Places that are wrong at the end.</param>
/// <param name="Changed">Places that were changed.</param>
/// <param name="Computations">How often bcrypt was computed.</param>
/// <param name="Seconds">From the first line of the program to the last.</param>
/// <param name="AllocatedBytes">Allocated in the process.</param>
/// <param name="Collections">Garbage collections.</param>
/// <param name="WorkingSetBytes">Memory held at the end.</param>
internal sealed record StackRunResult(int Places, int Wrong, int Changed, int Computations, double Seconds, long AllocatedBytes, int Collections, long WorkingSetBytes);
