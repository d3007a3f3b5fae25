namespace ComfyAuth.Emulator.Comfy;

/// <summary>
/// How far the program has started. The port of a container is published before anything listens on it: connections are
/// accepted, and then go wrong.
/// </summary>
public enum ComfyUIPhase
{
    /// <summary>It answers.</summary>
    Listening,

    /// <summary>Connections are accepted and then reset.</summary>
    Resetting,

    /// <summary>Connections are accepted and then closed without an answer.</summary>
    Silent,
}
