using System.Globalization;
using System.IO.Enumeration;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>That a container of the engine is as it should be; it need not be one of a service.</summary>
internal static class ContainerAssertion
{
    public static Func<CheckContext, CancellationToken, Task<CheckOutcome>> Read(YamlMap map)
    {
        map.Allow("name", "running", "healthy", "image", "mostRestarts");
        var name = map.Text("name") ?? throw map.Error(null, "the container has no name", "Add 'name:'.");
        var running = map.Boolean("running") ?? true;
        var (healthy, image, restarts) = (map.Boolean("healthy"), map.Text("image"), map.Integer("mostRestarts"));
        return (context, stop) => LookAsync(context, name, running, healthy, image, restarts, stop);
    }

    private static async Task<CheckOutcome> LookAsync(CheckContext context, string name, bool running, bool? healthy, string? image, int? restarts, CancellationToken stop)
    {
        var all = await context.Engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        if (all.FirstOrDefault(container => container.Name == name) is not { } listed)
            return running ? CheckOutcome.Failed($"There is no container {name}.") : CheckOutcome.Passed($"There is no container {name}.");

        var container = await context.Engine.InspectContainerAsync(listed.Id, stop).ConfigureAwait(false);
        var isRunning = container.State == ContainerState.Running;
        string[] seen = [$"state: {container.State}", $"health: {container.Health}", $"image: {container.Image}", string.Create(CultureInfo.InvariantCulture, $"restarts: {container.RestartCount}")];
        if (isRunning != running)
            return CheckOutcome.Failed($"{name} {(isRunning ? "runs" : "does not run")}.", seen);
        if (healthy is { } wanted && container.Health == ContainerHealthStatus.Healthy != wanted)
            return CheckOutcome.Failed($"{name} is {(wanted ? "not " : "")}healthy.", seen);
        if (image is not null && !FileSystemName.MatchesSimpleExpression(image, container.Image, ignoreCase: false))
            return CheckOutcome.Failed($"{name} is not of the image {image}.", seen);
        if (container.RestartCount > restarts)
            return CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{name} was started again {container.RestartCount} times, more than {restarts}."), seen);
        return CheckOutcome.Passed($"{name} is as it should be.", seen);
    }
}
