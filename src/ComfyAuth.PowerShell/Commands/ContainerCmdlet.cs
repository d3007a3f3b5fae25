using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet over the containers of stacks.</summary>
public abstract class ContainerCmdlet : EngineCmdlet
{
    /// <summary>Only these services of the stack, by name. Without it all of them are meant. Results of this module that are piped name theirs.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public override string[]? Service { get; set; }

    /// <summary>Only these containers of the stack, by name; wildcards are allowed. Without it all of them are meant.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ContainerCompleter))]
    public string[]? Name { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => false;

    /// <summary>Does the work for the chosen containers of one stack.</summary>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="services">The services of the containers; at least one.</param>
    /// <param name="observer">Looks at the containers.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The work.</returns>
    protected abstract Task ProcessContainersAsync(CmdletPipe pipe, GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerObserver observer, CancellationToken stop);

    /// <inheritdoc/>
    protected sealed override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        var services = stack.SelectServices(Service, Name, IsMatch);
        if (services.Count == 0)
            return;

        var observer = new ContainerObserver(Connect(), pipe.Redactor, (of, service) => BearerToken.Of(of, service, pipe.Redactor));
        await ProcessContainersAsync(pipe, stack, services, observer, stop);
    }

    /// <inheritdoc/>
    protected override string KeyOf(GenAIStack stack) => string.Join('\n', [stack.Root, .. Service ?? []]);

    private static bool IsMatch(string pattern, string name)
    {
        try
        {
            return WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(name);
        }
        catch (WildcardPatternException exception)
        {
            throw new ComfyAuthException("NamePatternInvalid", $"'{pattern}' is no pattern of names: {exception.Message}", "Write * for any characters, ? for one, [ab] for one of several.", exception);
        }
    }
}
