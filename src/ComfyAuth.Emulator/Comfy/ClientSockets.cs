using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>Those who listen on <c>/ws</c>, by their ids.</summary>
internal sealed class ClientSockets
{
    private const uint PreviewEvent = 1;
    private const uint PngFormat = 2;

    private readonly ConcurrentDictionary<string, Channel<Message>> _clients = new(StringComparer.Ordinal);

    /// <summary>The client whose prompt runs, and the node at which it is.</summary>
    public (string ClientId, string Node)? Current { get; set; }

    /// <summary>Tells one client; one that does not listen misses it.</summary>
    public void Send(string clientId, string type, JsonObject data)
    {
        if (_clients.TryGetValue(clientId, out var client))
            client.Writer.TryWrite(Message.Of(type, data));
    }

    public void SendToAll(string type, JsonObject data)
    {
        var message = Message.Of(type, data);
        foreach (var client in _clients.Values)
            client.Writer.TryWrite(message);
    }

    /// <summary>A binary frame: event and format as big-endian numbers, then the picture.</summary>
    public void SendPreview(string clientId, byte[] png)
    {
        var frame = new byte[8 + png.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, PreviewEvent);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), PngFormat);
        png.CopyTo(frame, 8);
        if (_clients.TryGetValue(clientId, out var client))
            client.Writer.TryWrite(new(WebSocketMessageType.Binary, frame));
    }

    /// <summary>Serves a client until it goes.</summary>
    /// <param name="accept">Gives its connection.</param>
    /// <param name="clientId">Its id; empty: it gets one.</param>
    /// <param name="status">What it is told first.</param>
    /// <param name="stop">Ends the connection.</param>
    public async Task ServeAsync(Func<Task<WebSocket>> accept, string clientId, JsonObject status, CancellationToken stop)
    {
        var id = clientId.Length > 0 ? clientId : Guid.NewGuid().ToString("N");
        var messages = Channel.CreateUnbounded<Message>();
        messages.Writer.TryWrite(Message.Of("status", new() { ["status"] = status, ["sid"] = id }));

        // Who comes back with the same id takes the place of the connection before. Before it is accepted: who is connected misses nothing.
        _clients[id] = messages;

        // After that: a node that begins meanwhile is told twice, and not at all otherwise.
        if (Current is { } current && current.ClientId == id)
            messages.Writer.TryWrite(Message.Of("executing", new() { ["node"] = current.Node }));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        WebSocket? socket = null;
        var sending = Task.CompletedTask;
        try
        {
            socket = await accept();
            sending = SendAsync(socket, messages.Reader, ended.Token, stop);
            var buffer = new byte[4096];
            while ((await socket.ReceiveAsync(buffer, stop)).MessageType != WebSocketMessageType.Close)
            {
                // What a client says is not listened to.
            }

            await ended.CancelAsync();
            await sending;
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stop);
        }
        catch (WebSocketException)
        {
            // It has gone without a word.
        }
        finally
        {
            _clients.TryRemove(KeyValuePair.Create(id, messages));
            await ended.CancelAsync();
            await sending;
            socket?.Dispose();
        }
    }

    /// <summary>Sends until it has ended. A message that is on its way then still goes: to give it up would break the connection off.</summary>
    private static async Task SendAsync(WebSocket socket, ChannelReader<Message> messages, CancellationToken ended, CancellationToken stop)
    {
        try
        {
            await foreach (var message in messages.ReadAllAsync(ended))
                await socket.SendAsync(message.Bytes, message.Type, endOfMessage: true, stop);
        }
        catch (Exception error) when (error is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // Whoever serves the connection sees that it has gone.
        }
    }

    private sealed record Message(WebSocketMessageType Type, byte[] Bytes)
    {
        public static Message Of(string type, JsonObject data) =>
            new(WebSocketMessageType.Text, Encoding.UTF8.GetBytes($"{{\"type\": \"{type}\", \"data\": {data.ToJsonString()}}}"));
    }
}
