namespace ComfyAuth.Compose;

/// <summary>Where something stands in a compose file or an environment file.</summary>
/// <param name="File">The file's full path.</param>
/// <param name="Line">1-based line.</param>
/// <param name="Column">1-based column.</param>
public sealed record ComposePlace(string File, int Line, int Column)
{
    /// <summary>As <c>file(line,column)</c>.</summary>
    public override string ToString() => $"{File}({Line},{Column})";
}
