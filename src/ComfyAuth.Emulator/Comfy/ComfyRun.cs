using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>The program from one start to the next: what it holds in memory, and what works off its queue.</summary>
internal sealed class ComfyRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PromptExecutor _executor;
    private readonly Task _work;
    private volatile bool _mustFree;

    public ComfyRun(ComfyUIOptions options, ImageFolders folders, Func<string, string, NodeFault?> faults)
    {
        Stopping = _stop.Token;
        Clients = new();
        Queue = new(remaining => Clients.SendToAll("status", new() { ["status"] = StatusOf(remaining) }));
        _executor = new(options, folders, Clients, faults);
        _work = Task.Run(WorkAsync);
    }

    public PromptQueue Queue { get; }

    public ClientSockets Clients { get; }

    /// <summary>Ends with the program.</summary>
    public CancellationToken Stopping { get; }

    public JsonObject Status => StatusOf(Queue.Remaining);

    /// <summary>Gives the memory back as soon as nothing runs, and with it what is remembered of the last prompt.</summary>
    public void Free() => _mustFree = true;

    /// <summary>Ends the program: what runs has no outcome, what waits is forgotten.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        Queue.Dispose();
        _stop.Dispose();
    }

    private static JsonObject StatusOf(int remaining) => new() { ["exec_info"] = new JsonObject { ["queue_remaining"] = remaining } };

    private async Task WorkAsync()
    {
        try
        {
            while (true)
            {
                var (prompt, nodes, interrupt) = await Queue.TakeAsync(Stopping);
                if (_mustFree)
                {
                    _mustFree = false;
                    _executor.Reset();
                }

                Queue.Finish(await _executor.ExecuteAsync(prompt, nodes, interrupt, Stopping));
                if (prompt.ClientId is { } client)
                    Clients.Send(client, "executing", new() { ["node"] = null, ["prompt_id"] = prompt.Id });
            }
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // The program ends.
        }
    }
}
