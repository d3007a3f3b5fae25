namespace ComfyAuth.Docker;

/// <summary>A file out of a container.</summary>
/// <param name="Content">Its bytes; they can hold secrets.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="UserId">The owner's number in the container.</param>
/// <param name="GroupId">The group's number in the container.</param>
public sealed record ContainerFile(ReadOnlyMemory<byte> Content, UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite, int UserId = 0, int GroupId = 0)
{
    /// <summary>When its content changed last, by the clock of the engine's machine; null where that is not known, and not written.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }
}
