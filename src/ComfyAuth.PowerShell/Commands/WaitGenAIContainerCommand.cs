using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Waits until the containers of a stack do their work, and gives up at once on those that never will.</summary>
/// <remarks>
/// <para>
/// Gives the diagnosis of each container that got there, as soon as it does. One that cannot get there by itself (a crash
/// loop, a missing mount, a healthcheck that cannot pass), that shows no sign of life, or that takes too long gives an
/// error instead; its id says which, and its target object is the diagnosis.
/// </para>
/// <para>
/// A container that installs programs or downloads files for a long time is waited for as long as it shows signs of life.
/// The containers of a stack are waited for at once, stacks and piped containers one after the other. Nothing is started,
/// stopped or changed.
/// </para>
/// </remarks>
/// <example>
/// <code>Wait-GenAIContainer -Service comfyui-qwen -Timeout 00:45:00</code>
/// Waits until ComfyUI accepts our token, at most 45 minutes, and shows what it is at.
/// </example>
/// <example>
/// <code>Wait-GenAIContainer -For Healthy -ErrorAction Stop</code>
/// Waits until the healthcheck of every container passes; throws as soon as one cannot.
/// </example>
/// <example>
/// <code>Get-GenAIContainer | Where-Object Condition -in Starting, Installing | Wait-GenAIContainer -StallTimeout 10m</code>
/// Waits only for those that are on their way, and gives up on one that shows no sign of life for ten minutes.
/// </example>
[Cmdlet(VerbsLifecycle.Wait, "GenAIContainer")]
[OutputType(typeof(ContainerDiagnosis))]
public sealed class WaitGenAIContainerCommand : ContainerCmdlet
{
    private static readonly ContainerWaitOptions Defaults = new();

    /// <summary>What to wait for. Ready: the service accepts our token, where it asks for one. Live: it answers at all. Healthy: its healthcheck passes.</summary>
    [Parameter]
    public ContainerGoal For { get; set; } = Defaults.Goal;

    /// <summary>When to give up, whatever happens; 30 minutes unless given. A bare number is in seconds; 10m and 00:10:00 are understood too.</summary>
    [Parameter]
    [Duration]
    public TimeSpan Timeout { get; set; } = Defaults.Timeout;

    /// <summary>When to give up on a container that shows no sign of life; 5 minutes unless given. Written as Timeout is.</summary>
    [Parameter]
    [Duration]
    public TimeSpan StallTimeout { get; set; } = Defaults.StallTimeout;

    /// <inheritdoc/>
    protected override async Task ProcessContainersAsync(CmdletPipe pipe, GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerObserver observer, CancellationToken stop)
    {
        var waiter = new ContainerWaiter(Engine!, observer, pipe.Redactor);
        var options = new ContainerWaitOptions { Goal = For, Timeout = Timeout, StallTimeout = StallTimeout };
        var activity = services is [var only] ? $"Waiting until {only.Container} is {For}" : $"Waiting until {services.Count} containers are {For}";
        var progress = new ContainerProgress(line => pipe.WriteProgress(activity, line));
        await foreach (var result in waiter.WaitAsync(stack, services, options, progress, stop))
        {
            if (result.Outcome == ContainerWaitOutcome.Reached)
                pipe.WriteObject(result.Diagnosis);
            else
                pipe.WriteError(Failure(result), result.Diagnosis);
        }
    }

    private static ComfyAuthException Failure(ContainerWaitResult result)
    {
        var (container, condition, evidence) = (result.Diagnosis.Container, result.Diagnosis.Condition, result.Diagnosis.Evidence);
        var message = $"{container} ({condition}): {result.Message}{(evidence.Count == 0 ? "" : $" Seen: {string.Join("; ", evidence)}.")}";
        return result.Outcome switch
        {
            ContainerWaitOutcome.Failed => new("ContainerWaitFailed", message, result.Remedy),
            ContainerWaitOutcome.Stalled => new("ContainerWaitStalled", message, result.Remedy),
            ContainerWaitOutcome.TimedOut => new("ContainerWaitTimedOut", message, result.Remedy),
            _ => new("ContainerWaitUndetermined", message, result.Remedy),
        };
    }
}
