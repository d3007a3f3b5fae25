namespace ComfyAuth.Validation;

/// <summary>Whether a stack is as it should be in one area.</summary>
public enum Conformity
{
    /// <summary>It is: the verdict of the area's checks is <see cref="Verdict.Sound"/>.</summary>
    Conforms,

    /// <summary>For the most part: the verdict is <see cref="Verdict.Fair"/>.</summary>
    Partly,

    /// <summary>It is not: the verdict is <see cref="Verdict.Poor"/> or <see cref="Verdict.Critical"/>.</summary>
    Violated,

    /// <summary>It is not known.</summary>
    Unknown,
}
