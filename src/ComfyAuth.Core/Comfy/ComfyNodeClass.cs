using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <summary>A class of nodes, as the server describes it.</summary>
public sealed record ComfyNodeClass
{
    /// <summary>Its name in a workflow of the API format.</summary>
    public required string Name { get; init; }

    /// <summary>Its name on the screen; empty where there is none.</summary>
    public string DisplayName { get; init; } = "";

    /// <summary>The Python module it comes from, such as <c>nodes</c> or <c>custom_nodes.ComfyUI-Login</c>; empty where the server does not tell.</summary>
    public string Module { get; init; } = "";

    /// <summary>Whether a workflow can end in it; only what such a node needs is run.</summary>
    public bool IsOutput { get; init; }

    /// <summary>Its inputs, by name: required and optional ones.</summary>
    public IReadOnlyDictionary<string, ComfyNodeInput> Inputs { get; init; } = new Dictionary<string, ComfyNodeInput>();

    /// <summary>The types of its outputs, in order.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    internal static ComfyNodeClass Read(string name, JsonElement value)
    {
        var inputs = new Dictionary<string, ComfyNodeInput>(StringComparer.Ordinal);
        foreach (var (group, members) in value.Member("input").Members())
        {
            if (group is not ("required" or "optional"))
                continue;
            foreach (var (input, shape) in members.Members())
                inputs[input] = ComfyNodeInput.Read(input, group == "required", shape);
        }

        return new()
        {
            Name = name,
            DisplayName = value.Text("display_name") ?? "",
            Module = value.Text("python_module") ?? "",
            IsOutput = value.Member("output_node").ValueKind == JsonValueKind.True,
            Inputs = inputs,

            // An output that is a list of choices has no name of its own.
            Outputs = [.. value.Member("output").Items().Select(output => output.ValueKind == JsonValueKind.String ? output.GetString()! : ComfyNodeInput.ChoiceType)],
        };
    }
}
