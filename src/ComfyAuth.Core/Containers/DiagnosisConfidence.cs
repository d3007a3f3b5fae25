namespace ComfyAuth.Containers;

/// <summary>How sure a diagnosis is.</summary>
public enum DiagnosisConfidence
{
    /// <summary>A guess out of a single sign.</summary>
    Low,

    /// <summary>Several signs agree.</summary>
    Medium,

    /// <summary>The engine or the service says so itself.</summary>
    High,
}
