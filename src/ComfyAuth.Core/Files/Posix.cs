using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ComfyAuth.Files;

/// <summary>The few system calls that .NET has no name for.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class Posix
{
    private const int AlreadyExists = 17;
    private const int NoEntry = 2;
    private const int InputOutputError = 5;
    private const int CurrentFolder = -100;

    // Where the type and the permissions stand.
    private const int LinuxModeAt = 28;
    private const int MacModeAt = 4;

    /// <summary>The owner of a file (or of a link itself), and whether it is a regular file; null when there is nothing.</summary>
    /// <remarks>
    /// .NET tells owners only by way of a tar header, whose seven octal digits cannot hold the large user ids of
    /// directory services. statx has one layout on every Linux architecture (man 2 statx); so has stat on macOS.
    /// </remarks>
    public static (uint User, uint Group, bool IsRegularFile)? Status(string path)
    {
        Span<byte> buffer = stackalloc byte[256];
        int result;
        int user;
        int group;
        int mode;
        if (OperatingSystem.IsLinux())
        {
            const int noFollow = 0x100;
            const uint basicStatistics = 0x7ff;
            result = StatX(CurrentFolder, path, noFollow, basicStatistics, ref MemoryMarshal.GetReference(buffer));
            (user, group, mode) = (20, 24, LinuxModeAt);
        }
        else
        {
            result = RuntimeInformation.ProcessArchitecture == Architecture.X64
                ? LStatX64(path, ref MemoryMarshal.GetReference(buffer))
                : LStat(path, ref MemoryMarshal.GetReference(buffer));
            (user, group, mode) = (16, 20, MacModeAt);
        }

        if (result != 0)
            return Marshal.GetLastPInvokeError() == NoEntry ? null : throw LastError();

        return (MemoryMarshal.Read<uint>(buffer[user..]), MemoryMarshal.Read<uint>(buffer[group..]), IsRegular(buffer[mode..]));
    }

    /// <summary>Whether a regular file is there, at the end of links too; null when that cannot be told, as where there is nothing.</summary>
    public static bool? IsRegularFile(string path)
    {
        Span<byte> buffer = stackalloc byte[256];
        int result;
        int mode;
        if (OperatingSystem.IsLinux())
        {
            const uint typeAndMode = 0x3;
            (result, mode) = (StatX(CurrentFolder, path, 0, typeAndMode, ref MemoryMarshal.GetReference(buffer)), LinuxModeAt);
        }
        else
        {
            result = RuntimeInformation.ProcessArchitecture == Architecture.X64
                ? Stat64(path, ref MemoryMarshal.GetReference(buffer))
                : Stat(path, ref MemoryMarshal.GetReference(buffer));
            mode = MacModeAt;
        }

        return result == 0 ? IsRegular(buffer[mode..]) : null;
    }

    /// <summary>How many bytes a file takes on its disk; less than its length where it has holes.</summary>
    [SupportedOSPlatform("linux")]
    public static long AllocatedBytes(string path)
    {
        const uint blocks = 0x400;
        const int blocksAt = 48;
        const int blockSize = 512;
        Span<byte> buffer = stackalloc byte[256];
        return StatX(CurrentFolder, path, 0, blocks, ref MemoryMarshal.GetReference(buffer)) == 0
            ? MemoryMarshal.Read<long>(buffer[blocksAt..]) * blockSize
            : throw LastError();
    }

    /// <summary>The user and the group that new files of this process belong to.</summary>
    public static (uint User, uint Group) EffectiveUser() => (GetEUid(), GetEGid());

    /// <summary>Gives an open file to another owner.</summary>
    public static void ChangeOwner(SafeFileHandle file, uint user, uint group)
    {
        if (FChOwn(file, user, group) != 0)
            throw LastError();
    }

    /// <summary>Makes the names in a folder survive a power failure.</summary>
    public static void FlushFolder(string folder)
    {
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw LastError();

        int result = FSync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        // Some network file systems cannot flush a folder and say so; only a failing disk matters.
        if (result != 0 && error == InputOutputError)
            throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
    }

    /// <summary>Gives an existing file a second name; false where the file system or the kernel's policy refuses.</summary>
    /// <exception cref="IOException">The second name is taken, or there is no such file.</exception>
    public static bool TryHardLink(string existing, string name)
    {
        if (Link(existing, name) == 0)
            return true;

        return Marshal.GetLastPInvokeError() is AlreadyExists or NoEntry ? throw LastError() : false;
    }

    /// <summary>Whether this account may make files in a folder, as far as permissions and the file system say.</summary>
    public static bool IsWritable(string folder)
    {
        const int writeAndSearch = 3;
        return Access(folder, writeAndSearch) == 0;
    }

    private static bool IsRegular(ReadOnlySpan<byte> mode)
    {
        const int typeMask = 0xF000;
        const int regularFile = 0x8000;
        return (MemoryMarshal.Read<ushort>(mode) & typeMask) == regularFile;
    }

    private static IOException LastError() =>
        new(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "lstat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStatX64(string path, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat64(string path, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int FChOwn(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEUid();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEGid();
}
