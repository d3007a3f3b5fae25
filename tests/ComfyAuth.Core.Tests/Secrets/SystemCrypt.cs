using System.Runtime.InteropServices;
using System.Text;

namespace ComfyAuth.Tests.Secrets;

/// <summary>crypt(3) of libxcrypt, where the system has it.</summary>
internal static class SystemCrypt
{
    private const string Library = "libcrypt.so.1";
    private static readonly Lock Lock = new();

    // The crypt of older glibc has the same file name and no bcrypt: it answers *0 or null.
    public static bool HasBcrypt { get; } = NativeLibrary.TryLoad(Library, out _)
        && Crypt("", "$2b$04$CCCCCCCCCCCCCCCCCCCCC.")?.Length == 60;

    public static string? Crypt(string password, string setting)
    {
        // The result lies in a static buffer.
        lock (Lock)
            return Marshal.PtrToStringUTF8(crypt(Encoding.UTF8.GetBytes(password + '\0'), Encoding.ASCII.GetBytes(setting + '\0')));
    }

    [DllImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint crypt(byte[] password, byte[] setting);
}
