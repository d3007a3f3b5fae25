using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What a node gave.</summary>
/// <param name="Pictures">The pictures that it hands on; none where it hands on anything else.</param>
/// <param name="Images">The images that it wrote, as the history shows them; null: it writes none.</param>
internal sealed record NodeResult(IReadOnlyList<Picture> Pictures, JsonArray? Images = null);
