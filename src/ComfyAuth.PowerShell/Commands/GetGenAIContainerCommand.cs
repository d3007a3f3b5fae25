using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Says what the containers of a stack are really doing, why, and what to do about it.</summary>
/// <remarks>
/// <para>
/// "unhealthy" can mean that PyTorch is still being installed, that the healthcheck cannot pass behind a login, that
/// the container crashes and starts again, or that memory or a mount is missing. Condition names which, Evidence tells
/// what that is concluded from, Remedy what to do.
/// </para>
/// <para>
/// Each service of the stack gives one object, also one that has no container. IsLive (it answers), IsProtected (it
/// refuses a request without a token) and IsReady (it accepts ours) are kept apart, and are null where they could not be
/// found out. Nothing is changed, and no secret is shown.
/// </para>
/// </remarks>
/// <example>
/// <code>Get-GenAIContainer</code>
/// Shows the containers of the stack of the current folder.
/// </example>
/// <example>
/// <code>Get-GenAIContainer -Path D:\stacks\genai | Where-Object IsFault | Format-List</code>
/// Shows everything about those that cannot get well by themselves, with the evidence and the remedy.
/// </example>
/// <example>
/// <code>Get-GenAIContainer -Name comfyui-* -Context gpu-box | ConvertTo-Json -EnumsAsStrings</code>
/// Gives the containers on another machine, one of the contexts of the Docker CLI, as JSON.
/// </example>
[Cmdlet(VerbsCommon.Get, "GenAIContainer")]
[OutputType(typeof(ContainerDiagnosis))]
public sealed class GetGenAIContainerCommand : ContainerCmdlet
{
    /// <inheritdoc/>
    protected override async Task ProcessContainersAsync(CmdletPipe pipe, GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerObserver observer, CancellationToken stop)
    {
        await foreach (var snapshot in observer.ObserveAsync(stack, services, stop))
            pipe.WriteObject(ContainerDiagnostician.Diagnose(snapshot, pipe.Redactor));
    }
}
