namespace ComfyAuth.Validation;

/// <summary>How a check ended. What could not be checked is neither passed nor failed.</summary>
public enum CheckStatus
{
    /// <summary>It is as it should be.</summary>
    Passed,

    /// <summary>It works, but should be looked at.</summary>
    Warning,

    /// <summary>It is not as it should be.</summary>
    Failed,

    /// <summary>It could not be checked: nothing is known.</summary>
    Error,

    /// <summary>It was not checked, because what it builds on is not there.</summary>
    Skipped,
}
