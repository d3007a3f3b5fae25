using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a model of the stack.</summary>
public sealed class ModelCompleter : StackCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop) =>
        stack.Definition.Services.SelectMany(service => service.Models).DistinctBy(model => model.Name)
            .Select(model => new Candidate(model.Name, $"{model.Path}{(model.SizeInBytes is { } size ? $", {ByteSize.Format(size)}" : "")}"));
}
