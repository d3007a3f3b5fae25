using ComfyAuth.Environments;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a backup, the newest first.</summary>
public sealed class BackupCompleter : StackCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(GenAIStack stack, CancellationToken stop) => stack.Definition.Services
        .Where(service => service.Environment is not null)
        .SelectMany(service => new EnvironmentBackups(stack.PathOf(service.Environment!.Path)).List())
        .Select(path => new Candidate(Path.GetFileName(path), path))
        .Prepend(new Candidate(EnvironmentRestoreRequest.Latest, "The newest backup"));
}
