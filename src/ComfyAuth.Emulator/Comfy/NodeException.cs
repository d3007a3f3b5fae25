namespace ComfyAuth.Emulator.Comfy;

/// <summary>An exception that a node of the real server would raise.</summary>
/// <param name="type">The name of the exception in Python, such as <c>torch.OutOfMemoryError</c>.</param>
/// <param name="message">What it says.</param>
internal sealed class NodeException(string type, string message) : Exception(message)
{
    /// <summary>The name of the exception in Python.</summary>
    public string Type => type;
}
