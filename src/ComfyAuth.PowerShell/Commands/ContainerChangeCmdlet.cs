using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet that starts, stops or restarts containers; an error of one spares the others.</summary>
public abstract class ContainerChangeCmdlet : ContainerCmdlet
{
    private readonly HashSet<(string Stack, string Service)> _done = [];

    /// <summary>Plans what is to be done with one container.</summary>
    /// <param name="lifecycle">Plans and does it.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service whose container it is.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The plan.</returns>
    protected abstract Task<ContainerChangePlan> PlanAsync(ContainerLifecycle lifecycle, GenAIStack stack, ServiceDefinition service, CancellationToken stop);

    /// <inheritdoc/>
    protected sealed override async Task ProcessContainersAsync(CmdletPipe pipe, GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerObserver observer, CancellationToken stop)
    {
        var lifecycle = new ContainerLifecycle(Engine!, pipe.Redactor, Logger(pipe));

        // The same container may be piped alone and with its whole stack.
        foreach (var service in services.Where(service => _done.Add((stack.Root, service.Name))))
        {
            try
            {
                var plan = await PlanAsync(lifecycle, stack, service, stop);
                PlannedChange[] changes = plan.Change is { } change ? [change] : [];
                var progress = new Progress(line => pipe.WriteProgress(changes[0].Action, line));
                if (await ApplyAsync(pipe, changes, approve => plan.ApplyAsync(approve, progress, stop)) is { } result)
                    pipe.WriteObject(result);
            }
            catch (ComfyAuthException error)
            {
                pipe.WriteError(error, service.Container);
            }
        }
    }

    private sealed class Progress(Action<string> tell) : IProgress<ComposeProgress>
    {
        public void Report(ComposeProgress value) => tell(value.Line);
    }
}
