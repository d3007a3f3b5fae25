namespace ComfyAuth.Validation;

/// <summary>What is to be thought of a stack, or of a part of it, in a word. The rules are in docs/scoring.md.</summary>
public enum Verdict
{
    /// <summary>Nothing failed, the score is 90 or more, and at least 90 % could be determined.</summary>
    Sound,

    /// <summary>The score is 75 or more.</summary>
    Fair,

    /// <summary>The score is 50 or more.</summary>
    Poor,

    /// <summary>The score is below 50, or a check failed that nothing makes up for.</summary>
    Critical,

    /// <summary>Less than half could be determined: neither good nor bad.</summary>
    Undetermined,
}
