using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>A prompt that was taken.</summary>
/// <param name="Number">Where it stands in the queue: the lowest is next.</param>
/// <param name="Id">Its id.</param>
/// <param name="Nodes">Its nodes; read by one thread at a time, under the queue's lock.</param>
/// <param name="Extra">What was sent with it.</param>
/// <param name="Outputs">The nodes whose output is made.</param>
internal sealed record QueuedPrompt(double Number, string Id, JsonObject Nodes, JsonObject Extra, IReadOnlyList<string> Outputs)
{
    /// <summary>Who is told of its progress; null: nobody.</summary>
    public string? ClientId { get; } = (Extra["client_id"] as JsonValue)?.TryGetValue(out string? id) == true ? id : null;

    /// <summary>As the queue and the history show it.</summary>
    public JsonArray Describe() => new(Number, Id, Nodes.DeepClone(), Extra.DeepClone(), new JsonArray([.. Outputs.Select(output => JsonValue.Create(output))]));
}
