namespace ComfyAuth.Reports;

/// <summary>How soon a recommendation should be followed.</summary>
public enum Urgency
{
    /// <summary>Something does not work, or will not at the next start.</summary>
    High,

    /// <summary>It works, but is not safe, or should be looked at.</summary>
    Medium,

    /// <summary>Something is not known.</summary>
    Low,
}
