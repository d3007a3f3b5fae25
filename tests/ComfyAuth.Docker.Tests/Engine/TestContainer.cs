using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>A container that is gone when the test is.</summary>
public sealed record TestContainer(DockerClient Client, string Id, string Name) : IAsyncDisposable
{
    public Task<ContainerDetails> InspectAsync() => Client.InspectContainerAsync(Id, TestContext.Current.CancellationToken);

    /// <summary>Waits until the engine tells of an event, be it already past.</summary>
    public async Task<EngineEvent> EventAsync(Func<EngineEvent, bool> wanted)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        await foreach (var item in Client.EventsAsync(new() { Containers = [Id], Since = DateTimeOffset.UnixEpoch.AddSeconds(1) }, deadline.Token))
        {
            if (wanted(item))
                return item;
        }

        throw new InvalidOperationException("unreachable");
    }

    /// <summary>Waits until it has ended, for the engine's list as well, which learns of it a moment after those who wait for it.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        var exitCode = await Client.WaitAsync(Id, TestContext.Current.CancellationToken);
        await EventAsync(item => item.Action == "die");
        return exitCode;
    }

    /// <summary>Waits until it has printed a line with a text, in all its runs so many times.</summary>
    public async Task PrintedAsync(string text, int times = 1)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        var seen = new List<string>();
        await foreach (var line in Client.LogsAsync(Id, new() { Follow = true }, deadline.Token))
        {
            seen.Add(line.Text);
            if (line.Text.Contains(text, StringComparison.Ordinal) && --times == 0)
                return;
        }

        Assert.Fail($"The container ended without '{text}': {string.Join(" | ", seen)}");
    }

    public async Task<List<ContainerLogLine>> LogAsync(ContainerLogOptions? options = null)
    {
        List<ContainerLogLine> lines = [];
        await foreach (var line in Client.LogsAsync(Id, options, TestContext.Current.CancellationToken))
            lines.Add(line);
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Client.RemoveContainerAsync(Id, force: true, CancellationToken.None);
        }
        catch (DockerException error) when (error.Code is "DockerNotFound" or "DockerNotRunning")
        {
            // The test did it, or it killed the engine.
        }
    }
}
