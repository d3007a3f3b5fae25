using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>An input of a class of nodes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsRequired">Whether it must be given.</param>
/// <param name="Type">Its type, such as <c>MODEL</c> or <c>INT</c>; <c>COMBO</c> where there are choices.</param>
/// <param name="Choices">The values that it may have; null: there is no list of them.</param>
/// <param name="Limits">Its other properties, <c>min</c> and <c>max</c> among them.</param>
internal sealed record NodeInput(string Name, bool IsRequired, string Type, IReadOnlyList<string>? Choices, JsonObject? Limits);
