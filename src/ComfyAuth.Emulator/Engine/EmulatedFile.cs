using System.Text;

namespace ComfyAuth.Emulator.Engine;

/// <summary>A file of an emulated container, or another entry of its file system.</summary>
/// <param name="Content">The bytes of a file.</param>
public sealed record EmulatedFile(ReadOnlyMemory<byte> Content)
{
    /// <summary>An empty directory.</summary>
    public static EmulatedFile Directory { get; } = new(default(ReadOnlyMemory<byte>)) { IsDirectory = true, Mode = (UnixFileMode)0b111_101_101 };

    /// <summary>A file with a text.</summary>
    /// <param name="text">The text, in UTF-8.</param>
    public EmulatedFile(string text)
        : this(Encoding.UTF8.GetBytes(text))
    {
    }

    /// <summary>When its content changed last.</summary>
    public DateTimeOffset ModifiedAt { get; init; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>The permissions.</summary>
    public UnixFileMode Mode { get; init; } = (UnixFileMode)0b110_100_100;

    /// <summary>The owner's number.</summary>
    public int UserId { get; init; }

    /// <summary>The group's number.</summary>
    public int GroupId { get; init; }

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory { get; init; }

    /// <summary>The absolute path that a symbolic link leads to; null: it is none.</summary>
    public string? LinkTarget { get; init; }
}
