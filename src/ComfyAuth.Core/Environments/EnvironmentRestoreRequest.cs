namespace ComfyAuth.Environments;

/// <summary>How a <c>.env</c> file is to be restored.</summary>
public sealed record EnvironmentRestoreRequest
{
    /// <summary>The word that means the newest backup.</summary>
    public const string Latest = "latest";

    /// <summary>Names of services; null or empty for all.</summary>
    public IReadOnlyCollection<string>? Services { get; init; }

    /// <summary>A backup to put back: <see cref="Latest"/>, a file name, or its time stamp. Null to rebuild.</summary>
    public string? FromBackup { get; init; }

    /// <summary>
    /// A file to restore from, as a full path: another source of truth (JSON) in place of the stack's, or a <c>.env</c>
    /// file that fills in what the service's own lacks. Null for none.
    /// </summary>
    public string? SourceFile { get; init; }

    /// <summary>Whether the old file is kept in <c>_backups</c> before it changes.</summary>
    public bool Backup { get; init; } = true;
}
