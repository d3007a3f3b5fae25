namespace ComfyAuth.Compose;

/// <summary>One mount of a container.</summary>
public sealed record ComposeMount
{
    /// <summary>What is mounted.</summary>
    public required ComposeMountKind Kind { get; init; }

    /// <summary>For a bind the full path on the host, for a volume its name; null when it has neither.</summary>
    public string? Source { get; init; }

    /// <summary>The name that the file itself gives a volume in the engine; null where Compose makes it of the project's name and <see cref="Source"/>.</summary>
    public string? VolumeName { get; init; }

    /// <summary>The path in the container.</summary>
    public required string Target { get; init; }

    /// <summary>Whether the container can only read it.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Whether the engine makes a folder where a bind's source is missing; the short syntax always does.</summary>
    public bool CreatesHostPath { get; init; }

    /// <summary>Where it is written.</summary>
    public required ComposePlace Place { get; init; }
}
