using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>The classes of nodes that an emulated ComfyUI has, as <c>/object_info</c> describes them.</summary>
internal sealed class NodeCatalog
{
    private readonly Dictionary<string, JsonObject> _classes = new(StringComparer.Ordinal);
    private readonly ComfyUIOptions _options;
    private readonly ImageFolders _folders;

    public NodeCatalog(ComfyUIOptions options, ImageFolders folders)
    {
        (_options, _folders) = (options, folders);
        using var stream = typeof(NodeCatalog).Assembly.GetManifestResourceStream("ComfyAuth.Emulator.Comfy.nodes.json")!;
        foreach (var (name, node) in JsonNode.Parse(stream)!.AsObject())
        {
            var described = node!.AsObject();
            ReadThrough(described);
            if (options.IsRecent || !described.ContainsKey("since"))
                _classes.Add(name, described);
        }
    }

    public IReadOnlyCollection<string> Classes => _classes.Keys;

    public bool Has(string name) => _classes.ContainsKey(name);

    public bool IsOutput(string name) => _classes[name].ContainsKey("output_node");

    public string[] Outputs(string name) => [.. _classes[name]["output"]!.AsArray().Select(type => type!.GetValue<string>())];

    /// <summary>The inputs of a class: the required ones, then those that may be missing.</summary>
    public IEnumerable<NodeInput> Inputs(string name)
    {
        foreach (var kind in new[] { "required", "optional" })
        {
            foreach (var (input, described) in _classes[name]["input"]![kind]?.AsObject() ?? [])
            {
                var choices = described![0] is JsonArray listed ? Choices(listed) : null;
                yield return new(
                    input,
                    kind == "required",
                    choices is null ? described[0]!.GetValue<string>() : "COMBO",
                    choices,
                    described.AsArray().Count > 1 ? described[1]!.AsObject() : null);
            }
        }
    }

    /// <summary>Every class; models and uploads are looked for again at each call.</summary>
    public JsonObject Describe() => new(_classes.Keys.Order(StringComparer.Ordinal).Select(name => KeyValuePair.Create(name, (JsonNode?)DescribeOne(name))));

    /// <summary>One class under its name; nothing for a class that is not there.</summary>
    public JsonObject Describe(string name) => Has(name) ? new() { [name] = DescribeOne(name) } : [];

    private JsonObject DescribeOne(string name)
    {
        var known = _classes[name];
        var input = new JsonObject();
        var order = new JsonObject();
        foreach (var (kind, inputs) in known["input"]!.AsObject())
        {
            var filled = inputs!.DeepClone().AsObject();
            foreach (var value in filled.Select(one => one.Value).OfType<JsonArray>().Where(value => value[0] is JsonArray))
                value[0] = new JsonArray([.. Choices(value[0]!.AsArray()).Select(choice => JsonValue.Create(choice))]);
            input[kind] = filled;
            order[kind] = new JsonArray([.. filled.Select(one => JsonValue.Create(one.Key))]);
        }

        var outputs = Outputs(name);
        var described = new JsonObject
        {
            ["input"] = input,
            ["input_order"] = order,
            ["output"] = known["output"]!.DeepClone(),
            ["output_is_list"] = new JsonArray([.. outputs.Select(_ => JsonValue.Create(false))]),
            ["output_name"] = (known["output_name"] ?? known["output"])!.DeepClone(),
            ["name"] = name,
            ["display_name"] = known["display_name"]!.DeepClone(),
            ["description"] = "",
            ["python_module"] = known["python_module"]!.DeepClone(),
            ["category"] = known["category"]!.DeepClone(),
            ["output_node"] = IsOutput(name),
        };
        if (known["experimental"] is { } experimental)
            described["experimental"] = experimental.DeepClone();
        return described;
    }

    /// <summary>What was parsed is laid out at its first reading, which two requests must not do at once.</summary>
    private static void ReadThrough(JsonNode? node)
    {
        foreach (var child in node is JsonObject map ? map.Select(one => one.Value) : node as JsonArray ?? Enumerable.Empty<JsonNode?>())
            ReadThrough(child);
    }

    /// <summary>A single choice with an at sign names the folder whose files are the choices.</summary>
    private IReadOnlyList<string> Choices(JsonArray listed)
    {
        string[] choices = [.. listed.Select(choice => choice!.GetValue<string>())];
        if (choices is not [['@', .. var folder]])
            return choices;
        return folder == "input" ? _folders.Uploads() : _options.Models.GetValueOrDefault(folder, []);
    }
}
