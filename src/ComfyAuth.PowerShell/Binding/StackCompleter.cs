using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes an argument from the stack that the other arguments, or the current folder, lead to.</summary>
public abstract class StackCompleter : CandidateCompleter
{
    /// <summary>Finds the values in a stack.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="stop">Cancelled when time is up.</param>
    /// <returns>The values.</returns>
    protected abstract IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop);

    /// <inheritdoc/>
    protected sealed override IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(input);
        var given = (input.Bound["Path"] ?? input.Bound["LiteralPath"]) switch
        {
            string path => path,
            object[] and [string path, ..] => path,
            _ => ".",
        };
        return input.Location is null && !Path.IsPathFullyQualified(given) ? [] : Find(GenAIStack.Find(Path.GetFullPath(given, input.Location ?? "/")), stop);
    }
}
