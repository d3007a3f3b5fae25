namespace ComfyAuth.Emulator.Comfy;

/// <summary>An exception that a node of the real server would raise.</summary>
/// <param name="message">What it says.</param>
/// <param name="type">The name of the exception in Python, such as <c>torch.OutOfMemoryError</c>.</param>
internal sealed class NodeException(string message, string type) : Exception(message)
{
    /// <summary>The name of the exception in Python.</summary>
    public string Type => type;
}
