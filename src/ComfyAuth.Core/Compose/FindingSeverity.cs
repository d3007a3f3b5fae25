namespace ComfyAuth.Compose;

/// <summary>How much a finding matters.</summary>
public enum FindingSeverity
{
    /// <summary>It works, and could be better.</summary>
    Info,

    /// <summary>It works now, and will hurt.</summary>
    Warning,

    /// <summary>It does not work, or not as its author meant.</summary>
    Error,
}
