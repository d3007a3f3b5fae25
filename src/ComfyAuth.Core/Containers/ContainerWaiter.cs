using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>Waits for containers. Never starts, stops or changes anything.</summary>
/// <param name="engine">The engine.</param>
/// <param name="observer">Looks at the containers.</param>
/// <param name="redactor">Takes the secrets out of what is told.</param>
public sealed class ContainerWaiter(DockerClient engine, ContainerObserver observer, SecretRedactor redactor)
{
    /// <summary>Waits for the containers of services, all at once.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Those of its services whose containers are waited for.</param>
    /// <param name="options">What they shall be, and when to give up.</param>
    /// <param name="progress">Is told each time that a container was looked at; null when nobody listens.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>One result for each service, as each wait ends.</returns>
    /// <exception cref="DockerException">The engine cannot be asked, and did not come back within a minute.</exception>
    public IAsyncEnumerable<ContainerWaitResult> WaitAsync(
        GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerWaitOptions options, IProgress<ContainerDiagnosis>? progress, CancellationToken stop) =>
        throw new NotImplementedException($"{engine}{redactor}{observer}");
}
