namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>Tests that count the handles of the process: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Storms), DisableParallelization = true)]
public sealed class Storms;
