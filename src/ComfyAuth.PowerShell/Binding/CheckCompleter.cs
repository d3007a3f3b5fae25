using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the id of a check.</summary>
public sealed class CheckCompleter : CandidateCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop) =>
        CheckCatalogue.All.Select(check => new Candidate(check.Id, $"{check.Id}: {check.Title}"));
}
