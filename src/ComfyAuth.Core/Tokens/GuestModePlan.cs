using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>What switching the guest mode of one service would do. Nothing has been done yet.</summary>
public sealed class GuestModePlan
{
    private readonly GuestModeSwitch _switch;

    internal GuestModePlan(GuestModeSwitch @switch, GenAIStack stack, ServiceDefinition service, ContainerDetails container, string path, string? hostPath)
    {
        _switch = @switch;
        (Stack, Service, Container, Path, HostPath) = (stack, service, container, path, hostPath);
    }

    /// <summary>The service.</summary>
    public ServiceDefinition Service { get; }

    /// <summary>The change; null when the state is as it is wanted.</summary>
    public PlannedGuestModeChange? Change { get; internal init; }

    /// <summary>Does it, once, and asks the server how it is.</summary>
    /// <param name="approve">Asked before the change; null approves.</param>
    /// <param name="stop">Ends the work.</param>
    /// <returns>What was done, and how it is now.</returns>
    /// <exception cref="ComfyAuthException"><c>GuestModeNotSet</c>: the file could be neither made nor removed.</exception>
    /// <exception cref="DockerException">The engine refused.</exception>
    public Task<GuestModeChange> ApplyAsync(Func<PlannedGuestModeChange, Task<bool>>? approve = null, CancellationToken stop = default) =>
        _switch.ApplyAsync(this, approve, stop);

    internal GenAIStack Stack { get; }

    internal ContainerDetails Container { get; }

    /// <summary>The file in the container.</summary>
    internal string Path { get; }

    /// <summary>The file on this machine; null where the container alone has it.</summary>
    internal string? HostPath { get; }

    /// <summary>The state when the plan was made.</summary>
    internal GuestModeState Before { get; init; }

    /// <summary>Whether the container answers at the service's address.</summary>
    internal bool AnswersItself { get; init; }

    /// <summary>As a person would name the file.</summary>
    internal string File => HostPath ?? $"{Container.Name}:{Path}";
}
