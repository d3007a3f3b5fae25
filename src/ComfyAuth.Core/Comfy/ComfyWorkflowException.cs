namespace ComfyAuth.Comfy;

/// <summary>A workflow cannot run, or did not; names the nodes and inputs that it is about.</summary>
public sealed class ComfyWorkflowException : ComfyAuthException
{
    /// <summary>Makes an error.</summary>
    /// <param name="code">Stable, in Pascal case, one per code path.</param>
    /// <param name="message">What is wrong, in one sentence; the problems are told behind it.</param>
    /// <param name="remedy">What to do; behind it stand the remedies of the problems.</param>
    /// <param name="problems">What is wrong with which node.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public ComfyWorkflowException(string code, string message, string remedy, IReadOnlyList<ComfyWorkflowProblem> problems, Exception? innerException = null)
        : base(code, Told(message, problems), string.Join(' ', problems.Select(problem => problem.Remedy).Append(remedy).Where(text => text.Length > 0).Distinct().Take(MostTold)), innerException) =>
        Problems = problems;

    private const int MostTold = 5;

    /// <summary>What is wrong with which node; all of them, also where the message leaves some out.</summary>
    public IReadOnlyList<ComfyWorkflowProblem> Problems { get; }

    private static string Told(string message, IReadOnlyList<ComfyWorkflowProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (problems.Count == 0)
            return message;
        var more = problems.Count > MostTold ? $"; and {problems.Count - MostTold} more" : "";
        return $"{message.TrimEnd('.')}: {string.Join("; ", problems.Take(MostTold))}{more}.";
    }
}
