using System.Security.AccessControl;

namespace ComfyAuth.Files;

/// <summary>Makes files and folders that nobody but the owner could ever open, not even between two calls.</summary>
internal static class OwnerOnlyFile
{
    /// <summary>A new file, open for writing.</summary>
    /// <exception cref="IOException">The file exists.</exception>
    public static FileStream Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return new FileInfo(path).Create(
                FileMode.CreateNew, FileSystemRights.Write | FileSystemRights.ReadPermissions | FileSystemRights.ChangePermissions,
                FileShare.None, bufferSize: 4096, FileOptions.None,
                FilePermissions.OwnerOnlyAccess(new FileSecurity(), InheritanceFlags.None));
        }

        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            UnixCreateMode = FilePermissions.OwnerOnlyFile,
        });
    }

    /// <summary>Makes the folder unless it exists, and takes away what others may do there.</summary>
    public static void EnsureFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            if (!Directory.Exists(path))
            {
                FilePermissions.OwnerOnlyAccess(
                    new DirectorySecurity(), InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit).CreateDirectory(path);
            }
        }
        else
        {
            Directory.CreateDirectory(path, FilePermissions.OwnerOnlyFolder);
            if (File.GetUnixFileMode(path) != FilePermissions.OwnerOnlyFolder)
                File.SetUnixFileMode(path, FilePermissions.OwnerOnlyFolder);
        }
    }
}
