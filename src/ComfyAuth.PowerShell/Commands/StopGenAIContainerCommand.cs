using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Stops the containers of a stack; they stay, with everything in them.</summary>
/// <remarks>
/// <para>
/// A container is asked to end, and killed when it has not ended after the grace period; the result's ExitCode is 137 then.
/// One that does not run, or does not exist, is left alone. A container with the restart policy "always" stays stopped until
/// the engine itself starts again.
/// </para>
/// </remarks>
/// <example>
/// <code>Stop-GenAIContainer</code>
/// Stops all containers of the stack of the current folder.
/// </example>
/// <example>
/// <code>Stop-GenAIContainer -Service comfyui-qwen -GracePeriod 1m</code>
/// Gives ComfyUI a minute to finish what it is writing.
/// </example>
/// <example>
/// <code>Get-GenAIContainer | Where-Object Condition -EQ CrashLoop | Stop-GenAIContainer -Confirm</code>
/// Stops those that crash again and again, after a question for each.
/// </example>
[Cmdlet(VerbsLifecycle.Stop, "GenAIContainer", SupportsShouldProcess = true)]
[OutputType(typeof(ContainerChange))]
public sealed class StopGenAIContainerCommand : ContainerChangeCmdlet
{
    /// <summary>How long a container may take to end by itself before it is killed; 10 seconds unless given, at most a day. A bare number is in seconds; 1m and 00:01:00 are understood too.</summary>
    [Parameter]
    [Duration]
    public TimeSpan? GracePeriod { get; set; }

    /// <inheritdoc/>
    protected override Task<ContainerChangePlan> PlanAsync(ContainerLifecycle lifecycle, GenAIStack stack, ServiceDefinition service, CancellationToken stop) =>
        lifecycle.PlanStopAsync(stack, service, GracePeriod, stop);
}
