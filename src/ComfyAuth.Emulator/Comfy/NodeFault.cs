namespace ComfyAuth.Emulator.Comfy;

/// <summary>A way in which the run of a node goes wrong.</summary>
public sealed record NodeFault
{
    /// <summary>The GPU has too little memory for the model.</summary>
    public static NodeFault OutOfMemory { get; } = Failure("torch.OutOfMemoryError", "Allocation on device");

    /// <summary>It runs until it is interrupted.</summary>
    public static NodeFault Hang { get; } = new();

    /// <summary>The name of the exception in Python; null: none is raised, it hangs.</summary>
    public string? ExceptionType { get; private init; }

    /// <summary>What the exception says.</summary>
    public string ExceptionMessage { get; private init; } = "";

    /// <summary>It raises an exception.</summary>
    /// <param name="exceptionType">The name of the exception in Python, such as <c>RuntimeError</c>.</param>
    /// <param name="exceptionMessage">What it says.</param>
    public static NodeFault Failure(string exceptionType, string exceptionMessage) => new() { ExceptionType = exceptionType, ExceptionMessage = exceptionMessage };
}
