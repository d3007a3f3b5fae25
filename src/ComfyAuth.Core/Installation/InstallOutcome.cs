namespace ComfyAuth.Installation;

/// <summary>How an installation ended.</summary>
public enum InstallOutcome
{
    /// <summary>Everything was as it should be before; nothing was changed.</summary>
    Unchanged,

    /// <summary>What was not there is there now, and proven.</summary>
    Installed,

    /// <summary>Only what would be done was told.</summary>
    Planned,

    /// <summary>A change that it needs was declined; what was done before stays, and the next run goes on.</summary>
    Declined,

    /// <summary>A step failed, and everything that this run changed was taken back, but for what the report says was kept on purpose.</summary>
    RolledBack,

    /// <summary>A step failed, and not everything could be taken back; the report says what is left.</summary>
    RollbackIncomplete,

    /// <summary>A step failed; what was done before stays on request, and the next run goes on.</summary>
    Failed,
}
