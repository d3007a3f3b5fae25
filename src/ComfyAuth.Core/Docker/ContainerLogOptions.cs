namespace ComfyAuth.Docker;

/// <summary>Which part of a log.</summary>
public sealed record ContainerLogOptions
{
    /// <summary>Only so many lines from the end; null: all.</summary>
    public int? Tail { get; init; }

    /// <summary>Only what was written since; null: all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether to go on with what is written next, until the container stops.</summary>
    public bool Follow { get; init; }

    /// <summary>Whether each line gets its timestamp.</summary>
    public bool Timestamps { get; init; } = true;

    /// <summary>Whether the container has a terminal (<see cref="ContainerDetails.Tty"/>); null: ask the engine, which costs a request.</summary>
    public bool? Tty { get; init; }
}
