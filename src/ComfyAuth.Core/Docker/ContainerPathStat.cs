namespace ComfyAuth.Docker;

/// <summary>A path in a container.</summary>
/// <param name="Name">Its last component.</param>
/// <param name="SizeInBytes">The size of a file.</param>
/// <param name="Mode">The permissions.</param>
/// <param name="IsDirectory">Whether it is a directory.</param>
/// <param name="LinkTarget">Where a symbolic link leads, as a path in the container; null when it is none.</param>
/// <param name="ModifiedAt">When its content changed last.</param>
public sealed record ContainerPathStat(string Name, long SizeInBytes, UnixFileMode Mode, bool IsDirectory, string? LinkTarget, DateTimeOffset? ModifiedAt)
{
    internal static ContainerPathStat From(PathStatAnswer answer)
    {
        // Go's own bits, not those of stat(2).
        const uint directory = 1u << 31, link = 1u << 27, setUser = 1u << 23, setGroup = 1u << 22, sticky = 1u << 20;
        var mode = (UnixFileMode)(answer.Mode & 0x1FF);
        mode |= (answer.Mode & setUser) != 0 ? UnixFileMode.SetUser : 0;
        mode |= (answer.Mode & setGroup) != 0 ? UnixFileMode.SetGroup : 0;
        mode |= (answer.Mode & sticky) != 0 ? UnixFileMode.StickyBit : 0;
        return new(
            answer.Name ?? "",
            answer.Size,
            mode,
            (answer.Mode & directory) != 0,
            (answer.Mode & link) != 0 ? answer.LinkTarget ?? "" : null,
            EngineValues.Time(answer.Modified));
    }
}
