namespace ComfyAuth.Files;

/// <summary>Who may read and write a file once it has been written.</summary>
public enum FileProtection
{
    /// <summary>As before; a new file gets what its folder and the process give any new file.</summary>
    Keep,

    /// <summary>
    /// Nobody but the owner: <see cref="FilePermissions.IsOwnerOnly(string)"/> holds afterwards. A file that already is
    /// owner-only keeps its mode (0400 stays 0400), any other becomes 0600.
    /// </summary>
    OwnerOnly,
}
