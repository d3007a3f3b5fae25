using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the category of a check.</summary>
public sealed class CheckCategoryCompleter : CandidateCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop) =>
        CheckCatalogue.All.GroupBy(check => check.Category).Select(checks => new Candidate(checks.Key, $"{checks.Key}: {string.Join(", ", checks.Select(check => check.Title))}"));
}
