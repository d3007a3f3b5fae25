using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <content>Following a prompt until it has ended.</content>
public sealed partial class ComfyClient
{
    private const int LargestMessage = 16 * 1024 * 1024;
    private const int MostConnections = 5;
    private const int MostAbsences = 3;

    /// <summary>How long nothing may be heard of a prompt before it is asked for.</summary>
    internal TimeSpan LongestSilence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait between two questions where nothing tells by itself.</summary>
    internal TimeSpan PauseBetweenQuestions { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a service that took a prompt may be away, such as when a proxy restarts.</summary>
    internal TimeSpan LongestAbsence { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Tells what happens to a prompt until it has ended: by websocket, which is connected again when it is lost, and by asking for
    /// its history and the queue where there is none.
    /// </summary>
    /// <param name="prompt">The prompt, as <see cref="SubmitAsync(ComfyWorkflow, CancellationToken)"/> gave it.</param>
    /// <param name="stop">Stops following; the prompt goes on.</param>
    /// <returns>What happens; the last one is its end, and is there also when it failed.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>WorkflowLost</c>: the server knows the prompt no more; <c>ServiceUnreachable</c>, <c>ServiceTimedOut</c> or <c>ServiceFailed</c>: it was
    /// away for more than a minute; or as for <see cref="SystemStatsAsync"/>.
    /// </exception>
    public async IAsyncEnumerable<PromptEvent> FollowAsync(ComfyPrompt prompt, [EnumeratorCancellation] CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ClientWebSocket? socket = null;
        Task<byte[]?>? receiving = null;
        var (failures, absences, wasRunning, hasEnded, ahead) = (0, 0, false, false, (int?)null);
        Stopwatch? away = null;
        try
        {
            while (true)
            {
                if (socket is null && !hasEnded && failures < MostConnections)
                {
                    socket = await ConnectAsync(prompt.ClientId, stop).ConfigureAwait(false);
                    if (socket is null)
                    {
                        failures++;
                        yield return new() { Kind = PromptEventKind.ConnectionLost, PromptId = prompt.Id };
                    }
                }

                // Also after each new connection: what was told before it is lost.
                PromptHistory? history = null;
                ComfyQueue? queue = null;
                try
                {
                    history = await HistoryAsync(prompt.Id, stop).ConfigureAwait(false);
                    queue = history is null ? await QueueAsync(stop).ConfigureAwait(false) : null;
                    away = null;
                }
                catch (ComfyAuthException error) when (error.Code is "ServiceUnreachable" or "ServiceTimedOut" or "ServiceFailed")
                {
                    away ??= Stopwatch.StartNew();
                    if (away.Elapsed > LongestAbsence)
                        throw;
                }

                if (history is not null)
                {
                    yield return new() { Kind = history.Outcome, PromptId = prompt.Id, Node = history.Failure?.NodeId ?? "", Problem = history.Failure, History = history };
                    yield break;
                }

                if (queue is not null)
                {
                    var position = queue.Pending.ToList().IndexOf(prompt.Id);
                    var isRunning = queue.Running.Contains(prompt.Id, StringComparer.Ordinal);
                    absences = position < 0 && !isRunning ? absences + 1 : 0;

                    // Between the end of the queue and the beginning of the history there may be a moment.
                    if (absences >= MostAbsences)
                    {
                        throw new ComfyAuthException(
                            "WorkflowLost",
                            $"The service at {Address} knows nothing of the prompt {Shown(prompt.Id)} any more.",
                            "It was restarted, or somebody removed the prompt from its queue or its history; see its log, then run the workflow again.");
                    }

                    if (isRunning && !wasRunning)
                        yield return new() { Kind = PromptEventKind.Started, PromptId = prompt.Id };
                    else if (position >= 0 && ahead != position + queue.Running.Count)
                        yield return new() { Kind = PromptEventKind.Queued, PromptId = prompt.Id, Ahead = ahead = position + queue.Running.Count };
                    wasRunning |= isRunning;
                }

                if (socket is null || hasEnded || absences > 0)
                {
                    await Task.Delay(hasEnded || absences > 0 ? PauseBetweenQuestions / 4 : PauseBetweenQuestions, stop).ConfigureAwait(false);
                    continue;
                }

                var heard = Stopwatch.StartNew();
                while (true)
                {
                    receiving ??= ReceiveAsync(socket, _closed.Token);
                    byte[]? message;
                    try
                    {
                        var left = LongestSilence - heard.Elapsed;
                        message = await receiving.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, stop).ConfigureAwait(false);
                    }
                    catch (TimeoutException)
                    {
                        break;
                    }

                    receiving = null;
                    if (message is null)
                    {
                        socket.Dispose();
                        socket = null;
                        failures++;
                        yield return new() { Kind = PromptEventKind.ConnectionLost, PromptId = prompt.Id };
                        break;
                    }

                    // Custom nodes tell everybody of the load each second: that is no news of the prompt.
                    if (Event(message, prompt.Id) is not { } told)
                    {
                        if (heard.Elapsed >= LongestSilence)
                            break;
                        continue;
                    }

                    heard.Restart();

                    // Only the history has all that came of it.
                    hasEnded = told.Kind == PromptEventKind.Succeeded;
                    if (hasEnded)
                        break;
                    wasRunning |= told.Kind == PromptEventKind.Started;
                    yield return told;
                    if (told.IsEnd)
                        yield break;
                }
            }
        }
        finally
        {
            socket?.Dispose();
            if (receiving is not null)
                await receiving.ConfigureAwait(false);
        }
    }

    /// <summary>Takes out of the queue, or stops, what a client put there whose submission was cut short.</summary>
    internal async Task CancelOfClientAsync(string clientId, CancellationToken stop)
    {
        var found = await GetAsync(
            "queue",
            LargestAnswer,
            answer => (from item in answer.Member("queue_running").Items().Concat(answer.Member("queue_pending").Items())
                       let parts = item.Items().Take(4).ToList()
                       where parts.Count == 4 && parts[1].ValueKind == JsonValueKind.String && parts[3].Text("client_id") == clientId
                       select parts[1].GetString()!).ToList(),
            stop).ConfigureAwait(false);
        foreach (var id in found)
            await CancelAsync(id, stop).ConfigureAwait(false);
    }

    /// <summary>Connects; null where that cannot be done, for whatever reason: asking will tell it.</summary>
    private async Task<ClientWebSocket?> ConnectAsync(string clientId, CancellationToken stop)
    {
        var socket = new ClientWebSocket();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop, _closed.Token);
        deadline.CancelAfter(Timeout);
        try
        {
            var session = _credential.Password is null ? null : await SessionAsync(deadline.Token).ConfigureAwait(false);
            foreach (var (name, value) in Headers(session))
                socket.Options.SetRequestHeader(name, value);
            var address = new UriBuilder(new Uri(Address, $"ws?clientId={Uri.EscapeDataString(clientId)}")) { Scheme = Address.Scheme == "https" ? "wss" : "ws" }.Uri;
            using var invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
            await socket.ConnectAsync(address, invoker, deadline.Token).ConfigureAwait(false);
            return socket;
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or ComfyAuthException or InvalidOperationException || ServiceHttp.IsFailure(error))
        {
            socket.Dispose();
            return stop.IsCancellationRequested ? throw new OperationCanceledException(stop) : null;
        }
    }

    /// <summary>The next message of text; null at the end of the connection, and of one that is too large. Previews are passed over.</summary>
    private static async Task<byte[]?> ReceiveAsync(ClientWebSocket socket, CancellationToken stop)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        var length = 0L;
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), stop).ConfigureAwait(false);
                length += part.Count;
                if (part.MessageType == WebSocketMessageType.Close || length > LargestMessage)
                    return null;
                if (part.MessageType == WebSocketMessageType.Text)
                    message.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage)
                    continue;
                if (part.MessageType == WebSocketMessageType.Text)
                    return message.ToArray();
                length = 0;
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException || ServiceHttp.IsFailure(error))
        {
            return null;
        }
    }

    /// <summary>What a message says of a prompt; null for one that says nothing of it, or cannot be read.</summary>
    private PromptEvent? Event(byte[] message, string promptId)
    {
        try
        {
            using var document = JsonDocument.Parse(message, ComfyJson.Bounded);
            return PromptEvent.Read(document.RootElement, promptId, _redactor);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
