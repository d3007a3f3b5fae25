namespace ComfyAuth.Installation;

/// <summary>Where the last run of an installation is.</summary>
internal enum InstallPhase
{
    /// <summary>There is none, or it has ended.</summary>
    Ended,

    /// <summary>It is under way; where nobody holds the lock, it was interrupted, and the next run goes on.</summary>
    Running,

    /// <summary>It is being taken back; where nobody holds the lock, the next run takes back what is left.</summary>
    Undoing,
}
