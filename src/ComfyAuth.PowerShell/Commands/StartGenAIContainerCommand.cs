using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Starts the containers of a stack; those that are not there are made with Compose.</summary>
/// <remarks>
/// <para>
/// A stopped container is started as it was made, a paused one goes on, and one that runs is left alone. One that does not
/// exist is made by docker compose, or docker-compose, out of the compose file that the stack names for its service, along
/// with the services that this one depends on.
/// </para>
/// <para>
/// It does not wait until the service answers: Wait-GenAIContainer does.
/// </para>
/// </remarks>
/// <example>
/// <code>Start-GenAIContainer -Service comfyui-qwen | Wait-GenAIContainer</code>
/// Starts ComfyUI, and waits until it accepts our token.
/// </example>
/// <example>
/// <code>Get-GenAIContainer | Where-Object Condition -EQ Stopped | Start-GenAIContainer</code>
/// Starts those that are stopped, and makes none that are not there.
/// </example>
/// <example>
/// <code>Start-GenAIContainer -Path D:\stacks\genai -WhatIf</code>
/// Shows which containers would be started and which would be made.
/// </example>
[Cmdlet(VerbsLifecycle.Start, "GenAIContainer", SupportsShouldProcess = true)]
[OutputType(typeof(ContainerChange))]
public sealed class StartGenAIContainerCommand : ContainerChangeCmdlet
{
    /// <inheritdoc/>
    protected override bool Changes => true;

    /// <inheritdoc/>
    protected override Task<ContainerChangePlan> PlanAsync(ContainerLifecycle lifecycle, GenAIStack stack, ServiceDefinition service, CancellationToken stop) =>
        lifecycle.PlanStartAsync(stack, service, stop);
}
