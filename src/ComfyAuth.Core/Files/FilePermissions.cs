using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace ComfyAuth.Files;

/// <summary>Whether a file is its owner's alone, and how to make it so.</summary>
/// <remarks>
/// On Windows "the owner" is the file's owner and the account of this process; SYSTEM and the Administrators are let
/// in too, because scheduled tasks and backups run as these and they could take the file anyway.
/// Links are followed.
/// </remarks>
public static class FilePermissions
{
    internal const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    internal const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>
    /// Whether nobody but the owner has any right on the file. On Unix the group bits also show what a POSIX ACL
    /// gives to others (they are its mask), so an ACL does not go unseen.
    /// </summary>
    /// <exception cref="ComfyAuthException"><c>FileMissing</c>, <c>FileAccessDenied</c>.</exception>
    public static bool IsOwnerOnly(string path)
    {
        string target = Existing(path);
        return FileErrors.On(target, () => OperatingSystem.IsWindows()
            ? IsOwnerOnlyOnWindows(target)
            : IsOwnerOnly(File.GetUnixFileMode(target)));
    }

    /// <summary>Gives the file mode 0600, or an access list that inherits nothing and names only its owner.</summary>
    /// <remarks>Changes the file in place, at once. Inside a transaction use <see cref="FileTransaction.Protect"/>.</remarks>
    /// <exception cref="ComfyAuthException"><c>FileMissing</c>, <c>FileAccessDenied</c>.</exception>
    public static void MakeOwnerOnly(string path)
    {
        string target = Existing(path);
        FileErrors.On(target, () =>
        {
            if (OperatingSystem.IsWindows())
                new FileInfo(target).SetAccessControl(OwnerOnlyAccess(new FileSecurity(), InheritanceFlags.None));
            else
                File.SetUnixFileMode(target, OwnerOnlyFile);
        });
    }

    internal static bool IsOwnerOnly(UnixFileMode mode) => (mode & Others) == 0;

    [SupportedOSPlatform("windows")]
    internal static T OwnerOnlyAccess<T>(T security, InheritanceFlags inheritance)
        where T : FileSystemSecurity
    {
        security.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
        foreach (SecurityIdentifier account in TrustedAccounts())
        {
            security.AddAccessRule(new FileSystemAccessRule(
                account, FileSystemRights.FullControl, inheritance, PropagationFlags.None, AccessControlType.Allow));
        }

        return security;
    }

    [SupportedOSPlatform("windows")]
    private static bool IsOwnerOnlyOnWindows(string path)
    {
        FileSecurity security = new FileInfo(path).GetAccessControl(AccessControlSections.Access | AccessControlSections.Owner);
        var trusted = new HashSet<IdentityReference>(TrustedAccounts());
        if (security.GetOwner(typeof(SecurityIdentifier)) is { } owner)
            trusted.Add(owner);

        return security.GetAccessRules(includeExplicit: true, includeInherited: true, typeof(SecurityIdentifier))
            .Cast<FileSystemAccessRule>()
            .All(rule => rule.AccessControlType == AccessControlType.Deny
                || rule.PropagationFlags.HasFlag(PropagationFlags.InheritOnly)
                || trusted.Contains(rule.IdentityReference));
    }

    [SupportedOSPlatform("windows")]
    private static IEnumerable<SecurityIdentifier> TrustedAccounts()
    {
        using WindowsIdentity current = WindowsIdentity.GetCurrent();
        return
        [
            current.User!,
            new SecurityIdentifier(WellKnownSidType.LocalSystemSid, null),
            new SecurityIdentifier(WellKnownSidType.BuiltinAdministratorsSid, null),
        ];
    }

    private static string Existing(string path)
    {
        string target = RealPath.Of(path);
        return File.Exists(target)
            ? target
            : throw new ComfyAuthException("FileMissing", $"There is no file {path}.", "Check the path.");
    }
}
