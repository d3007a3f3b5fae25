using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet over the containers of stacks; it talks to one engine, over one client for the whole pipeline.</summary>
public abstract class ContainerCmdlet : StackCmdlet
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

    /// <summary>The context of the Docker CLI that tells where the engine is. Without it, as for the CLI: DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(DockerContextCompleter))]
    public string? Context { get; set; }

    /// <summary>The address of the engine, such as tcp://gpu-box:2376, unix:///var/run/docker.sock or ssh://user@gpu-box.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DockerHost { get; set; }

    /// <summary>The engine, once a stack has been found.</summary>
    protected DockerClient? Engine { get; private set; }

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

        Engine ??= new(new DockerEndpointResolver().Resolve(DockerHost, Context));
        var observer = new ContainerObserver(Engine, pipe.Redactor, (of, service) => BearerToken.Of(of, service, pipe.Redactor));
        await ProcessContainersAsync(pipe, stack, services, observer, stop);
    }

    /// <inheritdoc/>
    protected override string KeyOf(GenAIStack stack) => string.Join('\n', [stack.Root, .. Service ?? []]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Engine?.Dispose();
    }

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
