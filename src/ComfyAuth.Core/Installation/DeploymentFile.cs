using ComfyAuth.Files;

namespace ComfyAuth.Installation;

/// <summary>A file of a deployment. Holds no secret.</summary>
public sealed record DeploymentFile
{
    /// <summary>The path, relative to the stack's root, with <c>/</c> between folders.</summary>
    public required string Path { get; init; }

    /// <summary>All of its content.</summary>
    public required ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>Who may read it.</summary>
    public required FileProtection Protection { get; init; }

    /// <summary>What it is for, as a sentence.</summary>
    public required string Why { get; init; }
}
