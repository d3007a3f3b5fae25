namespace ComfyAuth.Compose;

/// <summary>What interpolation did to a value.</summary>
public enum InterpolationProblemKind
{
    /// <summary>A variable is not defined, so nothing stands in its place.</summary>
    UndefinedVariable,

    /// <summary>A piece of a bcrypt hash was taken for a variable and is lost.</summary>
    HashCut,

    /// <summary>A bcrypt hash stands with single <c>$</c>: docker-compose 1.29 refuses the file, Compose v2 cuts most such hashes.</summary>
    HashNotEscaped,

    /// <summary>Compose refuses the value: a required variable is missing, or a <c>${</c> is no substitution.</summary>
    Refused,
}
