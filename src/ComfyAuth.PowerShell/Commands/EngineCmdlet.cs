using System.Management.Automation;
using ComfyAuth.Docker;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet over the services of stacks that talks to a Docker engine, over one client for the whole pipeline.</summary>
public abstract class EngineCmdlet : StackCmdlet
{
    /// <summary>Only these services of the stack, by name. Without it all of them are meant.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public virtual string[]? Service { get; set; }

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

    /// <summary>How a change of files is brought into the containers and proven live.</summary>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="timeout">When to give up waiting for a container.</param>
    /// <returns>The rollout.</returns>
    protected Rollout RolloutOf(CmdletPipe pipe, TimeSpan timeout) => new(Connect(), pipe.Redactor, Logger(pipe))
    {
        Wait = new() { Timeout = timeout },
        Progress = new Progress(line => pipe.WriteProgress("Proving the change live", line)),
    };

    /// <summary>Applies what is agreed to of a rollout; under <c>-WhatIf</c> nothing.</summary>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The result; null under <c>-WhatIf</c>.</returns>
    protected static Task<RolloutResult<T>?> RollOutAsync<T>(CmdletPipe pipe, RolloutPlan<T> plan, CancellationToken stop) =>
        ApplyAsync(pipe, plan.Changes, approve => plan.ApplyAsync(approve, stop));

    /// <summary>Writes what came of a rollout: the results, then the proofs. Of the containers the verbose stream tells; what is not proven is warned of.</summary>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="result">The result.</param>
    protected static void Write<T>(CmdletPipe pipe, RolloutResult<T> result)
    {
        foreach (var change in result.Containers)
        {
            var line = $"{change.Container}: {change.Message}";
            if (result.Proofs.Any(proof => proof.Service == change.Service && proof.IsProven is null))
                pipe.WriteWarning(line);
            else
                pipe.WriteVerbose(line);
        }

        pipe.WriteObject(result.Results, enumerate: true);
        pipe.WriteObject(result.Proofs, enumerate: true);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Engine?.Dispose();
    }

    private sealed class Progress(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }
}
