using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>Whether a prompt is taken.</summary>
/// <param name="Error">Why it is refused; null: it is taken.</param>
/// <param name="NodeErrors">What is wrong with which node; an empty list instead of an object where an old version has that.</param>
/// <param name="Outputs">The nodes whose output is made: those that are valid.</param>
internal sealed record PromptVerdict(JsonObject? Error, JsonNode NodeErrors, IReadOnlyList<string> Outputs);
