using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>Somebody who listens on the websocket.</summary>
internal sealed class ComfyListener : IAsyncDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private readonly ClientWebSocket _socket = new();

    private ComfyListener(string clientId) => ClientId = clientId;

    public string ClientId { get; }

    /// <summary>The binary frames so far.</summary>
    public List<byte[]> Frames { get; } = [];

    /// <summary>Connects; the first message, the status, is read already.</summary>
    public static async Task<ComfyListener> ConnectAsync(Uri server, string clientId, string query = "", string? bearer = null)
    {
        var listener = new ComfyListener(clientId);
        try
        {
            listener._socket.Options.CollectHttpResponseDetails = true;
            if (bearer is not null)
                listener._socket.Options.SetRequestHeader("Authorization", $"Bearer {bearer}");
            await listener._socket.ConnectAsync(new Uri($"ws://{server.Authority}/ws?clientId={clientId}{query}"), Stop);
            var (type, data) = await listener.NextAsync();
            Assert.Equal(("status", clientId.Length > 0), (type, data!["sid"]!.GetValue<string>() == clientId));
            return listener;
        }
        catch
        {
            listener._socket.Dispose();
            throw;
        }
    }

    /// <summary>The next message that is text; null for its type: the connection is closed.</summary>
    public async Task<(string? Type, JsonNode? Data)> NextAsync()
    {
        while (true)
        {
            using var message = new MemoryStream();
            var buffer = new byte[16 * 1024];
            WebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer, Stop);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);

            if (part.MessageType == WebSocketMessageType.Close)
                return default;
            if (part.MessageType == WebSocketMessageType.Binary)
            {
                Frames.Add(message.ToArray());
                continue;
            }

            var text = JsonNode.Parse(message.ToArray())!;
            return (text["type"]!.GetValue<string>(), text["data"]);
        }
    }

    /// <summary>The messages up to the one of this type.</summary>
    public async Task<List<(string Type, JsonNode Data)>> UntilAsync(string last, Func<JsonNode, bool>? which = null)
    {
        var messages = new List<(string Type, JsonNode Data)>();
        while (await NextAsync() is ({ } type, { } data))
        {
            messages.Add((type, data));
            if (type == last && which?.Invoke(data) != false)
                return messages;
        }

        throw new InvalidOperationException($"The connection was closed before '{last}'.");
    }

    /// <summary>The messages up to the end of a prompt: no node is executing.</summary>
    public Task<List<(string Type, JsonNode Data)>> UntilDoneAsync() => UntilAsync("executing", data => data["node"] is null);

    public async ValueTask DisposeAsync()
    {
        if (_socket.State == WebSocketState.Open)
            await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        _socket.Dispose();
    }
}
