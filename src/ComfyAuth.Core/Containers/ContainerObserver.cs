using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>
/// Looks at the containers of a stack. Costs one list for all, and an inspection, one sample of the counters and a question to
/// the service for each; the log, the processes and the rest are read of those only that are not well.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Learns the secrets that the containers' environments hold.</param>
/// <param name="tokenOf">Gives the bearer token of a service; null when none is known.</param>
public sealed class ContainerObserver(DockerClient engine, SecretRedactor redactor, Func<GenAIStack, ServiceDefinition, BcryptHash?> tokenOf)
{
    /// <summary>Looks at containers, several at a time.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Those of its services whose containers are meant.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>One snapshot for each service, in their order, each as soon as it and those before it are there.</returns>
    /// <exception cref="DockerException">The engine cannot be asked. What cannot be seen of one container is told in <see cref="ContainerSnapshot.NotSeen"/>.</exception>
    public IAsyncEnumerable<ContainerSnapshot> ObserveAsync(GenAIStack stack, IReadOnlyList<ServiceDefinition> services, CancellationToken stop) =>
        throw new NotImplementedException($"{engine}{redactor}{tokenOf}");

    /// <summary>Looks at one container again.</summary>
    /// <param name="earlier">What was seen of it before; what it used since is computed from that.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    public Task<ContainerSnapshot> ObserveAgainAsync(ContainerSnapshot earlier, GenAIStack stack, CancellationToken stop) =>
        throw new NotImplementedException();
}
