namespace ComfyAuth.Installation;

/// <summary>What became of a change that was to be taken back.</summary>
public enum UndoOutcome
{
    /// <summary>It is as it was before.</summary>
    Undone,

    /// <summary>It was left on purpose; the message says why.</summary>
    Kept,

    /// <summary>It was declined.</summary>
    Declined,

    /// <summary>It failed; the message says why.</summary>
    Failed,
}
