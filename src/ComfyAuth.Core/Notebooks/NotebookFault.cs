namespace ComfyAuth.Notebooks;

/// <summary>One thing that is wrong with one notebook. Holds no secret.</summary>
/// <param name="Path">The notebook, relative to the root of the stack, with <c>/</c>.</param>
/// <param name="Kind">Which kind of thing.</param>
/// <param name="Line">The line of the file, counted from 1; 0 where it is of the whole.</param>
/// <param name="What">What it is, as a clause.</param>
internal sealed record NotebookFault(string Path, NotebookFaultKind Kind, long Line, string What)
{
    /// <summary>As a line of evidence.</summary>
    public override string ToString() => Line == 0 ? $"{Path}: {What}" : FormattableString.Invariant($"{Path}({Line}): {What}");
}
