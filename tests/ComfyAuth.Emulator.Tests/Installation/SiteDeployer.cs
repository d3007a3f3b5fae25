using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>The emulated Compose, which remembers what it was asked for and can be made to fail.</summary>
internal sealed class SiteDeployer(EmulatedEngine engine, DockerClient client) : IContainerDeployer
{
    /// <summary>The name of the compose project.</summary>
    public const string Project = EmulatedCompose.Project;

    private readonly EmulatedCompose _compose = new(engine, client);

    /// <summary>What it was asked for, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Is asked before each call; throws what is to go wrong.</summary>
    public Func<string, Task>? Before { get; set; }

    /// <summary>Changes the container that it makes.</summary>
    public Func<EmulatedContainer, EmulatedContainer> Container
    {
        get => _compose.Container;
        set => _compose.Container = value;
    }

    public async Task<string> DescribeAsync(CancellationToken stop)
    {
        await CallAsync("describe");
        return await _compose.DescribeAsync(stop);
    }

    public async Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        await CallAsync("build");
        await _compose.BuildAsync(stack, service, progress, stop);
    }

    public async Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        await CallAsync("up");
        await _compose.UpAsync(stack, service, progress, stop);
    }

    private Task CallAsync(string call)
    {
        Calls.Add(call);
        return Before?.Invoke(call) ?? Task.CompletedTask;
    }
}
