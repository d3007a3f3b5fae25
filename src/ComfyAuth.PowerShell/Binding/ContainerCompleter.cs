using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a container of the stack. The engine is not asked: it may be far away.</summary>
public sealed class ContainerCompleter : StackCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop) =>
        stack.Definition.Services.Select(service => new Candidate(service.Container, $"{service.Container}: service {service.Name}, {service.Url}"));
}
