using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What a node is given. It was validated before: what is missing now is a node's of this emulator.</summary>
/// <param name="values">The inputs as the prompt has them.</param>
/// <param name="results">What the nodes before gave.</param>
/// <param name="prompt">The whole prompt as JSON.</param>
internal sealed class NodeInputs(JsonObject values, IReadOnlyDictionary<string, NodeResult> results, string prompt)
{
    /// <summary>The whole prompt as JSON.</summary>
    public string Prompt => prompt;

    public IReadOnlyList<Picture> Pictures(string name) => results[values[name]![0]!.GetValue<string>()].Pictures;

    /// <summary>A text; any other value as Python would write it.</summary>
    public string Text(string name) => values[name] is { } value && value.GetValueKind() != JsonValueKind.String ? value.ToJsonString() : values[name]?.GetValue<string>() ?? "";

    public int Number(string name) => (int)decimal.Parse(Written(name), NumberStyles.Float, CultureInfo.InvariantCulture);

    public ulong Seed(string name) => (ulong)decimal.Parse(Written(name), NumberStyles.Float, CultureInfo.InvariantCulture);

    private string Written(string name) => Text(name) switch { "true" => "1", "false" => "0", var text => text };
}
