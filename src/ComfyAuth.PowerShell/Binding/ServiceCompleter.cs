using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a service of the stack.</summary>
public sealed class ServiceCompleter : StackCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop) =>
        stack.Definition.Services.Select(service => new Candidate(service.Name, $"{service.Name}: container {service.Container}, {service.Url}"));
}
