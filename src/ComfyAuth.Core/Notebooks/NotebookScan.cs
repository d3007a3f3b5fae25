namespace ComfyAuth.Notebooks;

/// <summary>What was found in all notebooks below a folder.</summary>
/// <param name="Count">How many notebooks there are, those that could not be read included.</param>
/// <param name="Length">How many bytes of them were read.</param>
/// <param name="Affected">How many notebooks have something of a kind.</param>
/// <param name="Faults">What is wrong, by notebook and line; of many, the first.</param>
internal sealed record NotebookScan(long Count, long Length, IReadOnlyDictionary<NotebookFaultKind, int> Affected, IReadOnlyList<NotebookFault> Faults)
{
    /// <summary>How many notebooks have something of a kind.</summary>
    public int AffectedBy(NotebookFaultKind kind) => Affected.GetValueOrDefault(kind);
}
