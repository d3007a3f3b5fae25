namespace ComfyAuth.Emulator.Engine;

/// <summary>A refusal, as the engine answers it.</summary>
internal sealed class EngineError(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static EngineError NoContainer(string name) => new(404, "No such container: " + name);

    public static EngineError NotRunning(EmulatedContainer container) => new(409, $"Container {container.Id} is not running");

    public static EngineError NotEmulated(string what) => new(501, what + " is not emulated");
}
