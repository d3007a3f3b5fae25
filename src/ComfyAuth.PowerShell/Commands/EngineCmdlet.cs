using System.Management.Automation;
using ComfyAuth.Docker;
using ComfyAuth.PowerShell.Binding;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet over stacks that talks to a Docker engine, over one client for the whole pipeline.</summary>
public abstract class EngineCmdlet : StackCmdlet
{
    /// <summary>The context of the Docker CLI that tells where the engine is. Without it, as for the CLI: DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(DockerContextCompleter))]
    public string? Context { get; set; }

    /// <summary>The address of the engine, such as tcp://gpu-box:2376, unix:///var/run/docker.sock or ssh://user@gpu-box.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DockerHost { get; set; }

    /// <summary>The engine, once it was connected to.</summary>
    protected DockerClient? Engine { get; private set; }

    /// <summary>Finds the engine; the first question to it tells whether it is there.</summary>
    /// <returns>The engine.</returns>
    /// <exception cref="ComfyAuthException">It cannot be told where the engine is.</exception>
    protected DockerClient Connect() => Engine ??= new(new DockerEndpointResolver().Resolve(DockerHost, Context));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Engine?.Dispose();
    }
}
