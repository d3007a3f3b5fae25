using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Restarts the containers of a stack, and recreates those that differ from their compose file by now.</summary>
/// <remarks>
/// <para>
/// A restart does not give a container the environment anew: a changed token would not reach it. So each container is first
/// compared with what its compose file, .env and env_file say now: variables, image, command, ports, mounts, healthcheck,
/// restart policy, memory limit and GPUs. Where they differ, it is replaced with docker compose, or docker-compose, and
/// Reasons names what differed, never the values. Otherwise it is restarted.
/// </para>
/// <para>
/// A container that Compose did not make, or whose compose file cannot be followed, is restarted as it is, and Message says
/// so. Volumes and bind mounts outlive a recreation; what a container wrote elsewhere does not. A container that does not
/// exist is made, as by Start-GenAIContainer.
/// </para>
/// </remarks>
/// <example>
/// <code>Sync-ComfyToken; Restart-GenAIContainer -Service comfyui-qwen | Wait-GenAIContainer</code>
/// Brings a new token into the container, and waits until the service accepts it.
/// </example>
/// <example>
/// <code>Restart-GenAIContainer -WhatIf</code>
/// Shows which containers would be restarted, which would be recreated, and why.
/// </example>
/// <example>
/// <code>Get-GenAIContainer | Where-Object Condition -EQ TokenRefused | Restart-GenAIContainer | Select-Object Container, Action, Reasons</code>
/// Restarts those that refuse our token, and shows what differed.
/// </example>
[Cmdlet(VerbsLifecycle.Restart, "GenAIContainer", SupportsShouldProcess = true)]
[OutputType(typeof(ContainerChange))]
public sealed class RestartGenAIContainerCommand : ContainerChangeCmdlet
{
    /// <summary>How long a container may take to end by itself before it is killed; 10 seconds unless given, at most a day. A bare number is in seconds; 1m and 00:01:00 are understood too.</summary>
    [Parameter]
    [Duration]
    public TimeSpan? GracePeriod { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => true;

    /// <inheritdoc/>
    protected override Task<ContainerChangePlan> PlanAsync(ContainerLifecycle lifecycle, GenAIStack stack, ServiceDefinition service, CancellationToken stop) =>
        lifecycle.PlanRestartAsync(stack, service, GracePeriod, stop);
}
