using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>
/// Asks a service whether it is live, protected and ready. Redirects are not followed, since a login page answers 200; the token
/// is sent only to the service's own address, and only where it asks for one.
/// </summary>
public sealed class ServiceProber : IDisposable
{
    /// <summary>How long one question may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Asks.</summary>
    /// <param name="service">The service.</param>
    /// <param name="token">Its bearer token; null when none is known.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The readings; a service that does not answer is a reading, not an error.</returns>
    public Task<ServiceReadings> ProbeAsync(ServiceDefinition service, BcryptHash? token, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
    }
}
