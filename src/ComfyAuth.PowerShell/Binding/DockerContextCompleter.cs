using ComfyAuth.Docker;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Completes the name of a context of the Docker CLI.</summary>
public sealed class DockerContextCompleter : CandidateCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop) =>
        new DockerEndpointResolver().ContextNames().Select(name => new Candidate(name));
}
