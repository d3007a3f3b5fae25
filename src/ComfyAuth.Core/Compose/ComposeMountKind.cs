namespace ComfyAuth.Compose;

/// <summary>What a mount puts into a container.</summary>
public enum ComposeMountKind
{
    /// <summary>A file or folder of the host.</summary>
    Bind,

    /// <summary>A volume that the engine keeps.</summary>
    Volume,

    /// <summary>Memory (<c>tmpfs</c>).</summary>
    Memory,

    /// <summary>Something else, such as a named pipe or an image.</summary>
    Other,
}
