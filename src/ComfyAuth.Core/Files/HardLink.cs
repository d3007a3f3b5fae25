using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ComfyAuth.Files;

/// <summary>A second name for a file.</summary>
internal static partial class HardLink
{
    /// <summary>Makes one; false where the file system or a policy refuses.</summary>
    /// <exception cref="IOException">The name is taken, or there is no such file.</exception>
    public static bool TryCreate(string existing, string name) => OperatingSystem.IsWindows()
        ? CreateHardLink(name, existing, 0)
        : Posix.TryHardLink(existing, name);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string name, string existing, nint reserved);
}
