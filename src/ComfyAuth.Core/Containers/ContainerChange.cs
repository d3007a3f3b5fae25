using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>What was done to the container of one service, and how it is now. Holds no secret.</summary>
public sealed record ContainerChange
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The service, as the stack names it.</summary>
    public required string Service { get; init; }

    /// <summary>The container's name.</summary>
    public required string Container { get; init; }

    /// <summary>What was done.</summary>
    public required ContainerChangeAction Action { get; init; }

    /// <summary>Its state before; null when there was none.</summary>
    public ContainerState? Before { get; init; }

    /// <summary>Its state after; null when there is none.</summary>
    public ContainerState? After { get; init; }

    /// <summary>In what it differed from its compose file, such as <c>COMFYUI_BEARER_TOKEN</c> or <c>the image</c>; never the values.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>What there is to know about it, in a sentence or two.</summary>
    public required string Message { get; init; }

    /// <summary>With what its main process ended; null while it runs and when it never ran.</summary>
    public int? ExitCode { get; init; }
}
