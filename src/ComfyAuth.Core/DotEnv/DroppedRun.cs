namespace ComfyAuth.DotEnv;

/// <summary>A piece of a value that interpolation replaced by nothing, because the variable it names is not defined.</summary>
/// <param name="Name">The name taken for a variable.</param>
/// <param name="Text">The run as it stands in the value, such as <c>$name</c>; may be a piece of a secret.</param>
/// <param name="Line">1-based line of the run.</param>
/// <param name="Column">1-based column of the run's <c>$</c>, in UTF-16 code units.</param>
public sealed record DroppedRun(string Name, string Text, int Line, int Column)
{
    /// <summary>Where the run stands; not what it says, for it may be a piece of a secret.</summary>
    public override string ToString() => $"{Text.Length} characters dropped at {Line}:{Column}";
}
