using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a repair that can be undone.</summary>
public sealed class RepairCompleter : StackCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop) => RepairUndo.Ids(stack).Select(id => new Candidate(id));
}
