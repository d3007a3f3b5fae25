using ComfyAuth.Compose;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation;

/// <summary>Makes the container of a service out of the files of its deployment.</summary>
public interface IContainerDeployer
{
    /// <summary>What does it, such as <c>docker compose 2.26.1</c>.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>ComposeNotInstalled</c>.</exception>
    Task<string> DescribeAsync(CancellationToken stop);

    /// <summary>Makes the image of the service where its compose file says how, or else pulls it.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service.</param>
    /// <param name="progress">Gets each line that is said.</param>
    /// <param name="stop">Gives up.</param>
    Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop);

    /// <summary>Makes and starts the container.</summary>
    /// <inheritdoc cref="BuildAsync"/>
    Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop);
}
