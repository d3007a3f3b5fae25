using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>
/// A workflow in the API format: nodes by id, each with its class and its inputs, which are values or links
/// (<c>["node id", output]</c>). Is never changed: setting an input gives another workflow.
/// </summary>
public sealed class ComfyWorkflow
{
    private const int LargestFile = 16 * 1024 * 1024;
    private const string ExportRemedy = "Export it in ComfyUI's window with File > Export (API); in older versions, switch on the developer options and use Save (API Format).";

    private static readonly JsonSerializerOptions Compact = new() { MaxDepth = ComfyJson.Bounded.MaxDepth };

    private readonly JsonObject _nodes;

    private ComfyWorkflow(JsonObject nodes, string name)
    {
        (_nodes, Name) = (nodes, name);
        Nodes = [.. nodes.Select(node => new ComfyWorkflowNode(node.Key, Text(node.Value!["class_type"])!, Text((node.Value["_meta"] as JsonObject)?["title"]) ?? "") { Inputs = (JsonObject)node.Value["inputs"]! })];
    }

    /// <summary>What it is called in messages: its file, or "the workflow".</summary>
    public string Name { get; }

    /// <summary>Its nodes, in its order.</summary>
    public IReadOnlyList<ComfyWorkflowNode> Nodes { get; }

    /// <summary>The seed of its first node that has one, as <c>seed</c> or <c>noise_seed</c>; null when none has.</summary>
    public long? Seed => Nodes
        .SelectMany(node => node.Inputs)
        .Where(input => input.Key is "seed" or "noise_seed")
        .Select(input => input.Value is JsonValue value && value.TryGetValue<JsonElement>(out var element) && element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var seed) ? seed : (long?)null)
        .FirstOrDefault(seed => seed is not null);

    /// <summary>Reads a workflow from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>LocalFileUnreadable</c>, or what <see cref="Parse"/> reports.</exception>
    public static async Task<ComfyWorkflow> ReadAsync(string path, CancellationToken stop)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(Encoding.UTF8.GetString(await LocalFile.ReadAsync(path, LargestFile, stop).ConfigureAwait(false)), path);
    }

    /// <summary>Reads a workflow.</summary>
    /// <param name="json">The text; a byte order mark before it does no harm.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>WorkflowMalformed</c>: it is no JSON, or no workflow; <c>WorkflowNotApiFormat</c>: it is one as ComfyUI's window saves it.
    /// </exception>
    public static ComfyWorkflow Parse(string json, string name = "the workflow")
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonNode? root;
        try
        {
            root = Rebuilt(JsonNode.Parse(json.TrimStart('\uFEFF'), documentOptions: ComfyJson.Bounded));
        }
        catch (Exception error) when (error is JsonException or ArgumentException or InvalidOperationException)
        {
            var place = error is JsonException { LineNumber: { } line } at ? string.Create(CultureInfo.InvariantCulture, $", line {line + 1}, column {at.BytePositionInLine + 1}") : "";
            throw new ComfyAuthException("WorkflowMalformed", $"{Capital(name)}{place}: this is no JSON that can be read.", "Check brackets, commas and repeated names, or export it again.", error);
        }

        // What is posted to the server wraps it, and so does the metadata of its pictures.
        if (root is JsonObject { Count: <= 3 } wrapper && wrapper["prompt"] is JsonObject inner && inner.All(node => node.Value is JsonObject))
            root = inner.DeepClone();
        if (root is not JsonObject nodes)
            throw NotWorkflow("it is no object of nodes");
        if (nodes["nodes"] is JsonArray && (nodes["links"] is JsonArray || nodes.ContainsKey("version") || nodes.ContainsKey("last_node_id")))
            throw new ComfyAuthException("WorkflowNotApiFormat", $"{Capital(name)} is in the format of ComfyUI's window, which the server does not run.", ExportRemedy);
        if (nodes.Count == 0)
            throw NotWorkflow("it has no nodes");

        foreach (var (id, node) in nodes)
        {
            if (node is not JsonObject content || Text(content["class_type"]) is not { Length: > 0 })
                throw NotWorkflow($"'{Short(id)}' is no node: it has no class_type");
            if (content["inputs"] is null)
                content["inputs"] = new JsonObject();
            if (content["inputs"] is not JsonObject)
                throw NotWorkflow($"the inputs of node {Short(id)} are no object");
        }

        return new(nodes, name);

        ComfyAuthException NotWorkflow(string why) => new("WorkflowMalformed", $"{Capital(name)} is no workflow in the API format: {why}.", ExportRemedy);
    }

    /// <summary>Sets inputs.</summary>
    /// <param name="inputs">
    /// Values by name: <c>node.input</c>, where the node is told by its id, its title or its class; or the input alone, where only one
    /// node has one of that name. A value is a text, a number, a truth value, or JSON; an array of node id and output is a link.
    /// </param>
    /// <returns>Another workflow.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>WorkflowInputUnknown</c>, <c>WorkflowInputAmbiguous</c>: no node, or several, are meant; <c>WorkflowInputInvalid</c>: the value is none.
    /// </exception>
    public ComfyWorkflow With(IEnumerable<KeyValuePair<string, object?>> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var changed = (JsonObject)_nodes.DeepClone();
        foreach (var (name, value) in inputs)
        {
            var (node, input) = Find(name);
            changed[node.Id]!["inputs"]![input] = Value(name, value);
        }

        return new(changed, Name);
    }

    /// <summary>The node and the name of the input that a name means; of a class that the server describes, inputs that the workflow leaves out too.</summary>
    internal (ComfyWorkflowNode Node, string Input) Find(string name)
    {
        var candidates = new List<(ComfyWorkflowNode Node, string Input)>();
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            // Titles and the names of inputs may have dots in them too.
            var (prefix, input) = (name[..dot], name[(dot + 1)..]);
            var nodes = Nodes.Where(node => node.Id == prefix).ToList();
            if (nodes.Count == 0)
                nodes = [.. Nodes.Where(node => node.Title.Equals(prefix, StringComparison.OrdinalIgnoreCase))];
            if (nodes.Count == 0)
                nodes = [.. Nodes.Where(node => node.Class.Equals(prefix, StringComparison.OrdinalIgnoreCase))];
            var having = nodes.Where(node => node.Inputs.ContainsKey(input)).ToList();
            candidates.AddRange(having.Select(node => (node, input)));

            // One that the workflow leaves out is set in a node that is named by its id: the server knows whether there is one.
            if (having.Count == 0 && nodes is [{ } only] && only.Id == prefix && input.Length > 0)
                throw Unknown(name, $"node {only.Id} ({only.Class}) has no input '{Short(input)}'", only.InputNames.Select(known => $"{only.Id}.{known}"), input, only.InputNames);
        }

        if (candidates.Count == 0 && !name.Contains('.', StringComparison.Ordinal))
            candidates.AddRange(Nodes.Where(node => node.Inputs.ContainsKey(name)).Select(node => (node, name)));
        if (candidates.Count == 1)
            return candidates[0];
        if (candidates.Count > 1)
        {
            throw new ComfyAuthException(
                "WorkflowInputAmbiguous",
                $"'{Short(name)}' means {candidates.Count} inputs of {Name}: {string.Join(", ", candidates.Take(10).Select(candidate => $"{candidate.Node.Id}.{candidate.Input} ({Label(candidate.Node)})"))}.",
                "Name the node by its id, such as " + $"{candidates[0].Node.Id}.{candidates[0].Input}.");
        }

        var written = name.Split('.')[^1];
        var prefixes = Nodes.SelectMany(node => new[] { node.Id, node.Class, node.Title }).Where(text => text.Length > 0).Distinct().ToList();
        return name.Contains('.', StringComparison.Ordinal) && prefixes.Find(prefix => name.StartsWith(prefix + ".", StringComparison.OrdinalIgnoreCase)) is null
            ? throw Unknown(name, $"no node has the id, title or class '{Short(name[..name.LastIndexOf('.')])}'", prefixes, name[..name.LastIndexOf('.')], prefixes)
            : throw Unknown(name, $"no such node has an input '{Short(written)}'", Nodes.SelectMany(node => node.InputNames.Select(input => $"{node.Id}.{input}")), written, Nodes.SelectMany(node => node.InputNames).Distinct());
    }

    /// <summary>The workflow as the server takes it; a new copy.</summary>
    internal JsonObject ToJson() => (JsonObject)_nodes.DeepClone();

    /// <summary>The node and the number of its output that a value links to; null when it is no link.</summary>
    internal static (string Node, int Output)? Link(JsonNode? value) =>
        value is JsonArray { Count: 2 } array && array[0] is JsonValue node && array[1] is JsonValue output && Id(node) is { } id && Whole(output) is { } number ? (id, number) : null;

    /// <summary>A text out of JSON; null for anything else.</summary>
    internal static string? Text(JsonNode? value) => value is JsonValue text && text.GetValueKind() == JsonValueKind.String ? text.GetValue<string>() : null;

    private static string? Id(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.Number => value.ToJsonString(),
        _ => null,
    };

    private static int? Whole(JsonValue value) =>
        value.GetValueKind() == JsonValueKind.Number && int.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Label(ComfyWorkflowNode node) => node.Title.Length == 0 || node.Title == node.Class ? node.Class : $"{node.Class}, '{Short(node.Title)}'";

    private ComfyAuthException Unknown(string name, string why, IEnumerable<string> known, string written, IEnumerable<string> near)
    {
        var names = known.ToList();
        var listed = string.Join(", ", names.Take(20).Select(Short)) + (names.Count > 20 ? $" and {names.Count - 20} more" : "");
        return new("WorkflowInputUnknown", $"There is no input '{Short(name)}' in {Name}: {why}.", $"{NearestName.Suggest(written, near)}There are: {listed}.");
    }

    private static JsonNode? Value(string name, object? value)
    {
        try
        {
            return Rebuilt(value switch
            {
                null => null,
                JsonNode node => node.DeepClone(),
                JsonElement element => JsonNode.Parse(element.GetRawText(), documentOptions: ComfyJson.Bounded),
                string text => JsonValue.Create(text),
                bool truth => JsonValue.Create(truth),
                float number => JsonValue.Create(number),
                double number => JsonValue.Create(number),
                decimal number => JsonValue.Create(number),
                ulong number => JsonValue.Create(number),
                System.Numerics.BigInteger number => JsonNode.Parse(number.ToString(CultureInfo.InvariantCulture)),
                Enum choice => JsonValue.Create(choice.ToString()),
                sbyte or byte or short or ushort or int or uint or long => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
                System.Collections.IEnumerable items and not System.Collections.IDictionary => new JsonArray([.. items.Cast<object?>().Select(item => Value(name, item))]),
                _ => throw new ArgumentException("not a value"),
            });
        }
        catch (Exception error) when (error is ArgumentException or JsonException or InvalidOperationException)
        {
            throw new ComfyAuthException("WorkflowInputInvalid", $"What is given for the input '{Short(name)}' is no value of a workflow.", "Give a text, a number, $true or $false, or for a link the array of node id and output.", error);
        }
    }

    /// <summary>The same JSON with every number and text in the form that a parser gives it; throws on what cannot be written.</summary>
    private static JsonNode? Rebuilt(JsonNode? node)
    {
        if (node is null)
            return null;
        var rebuilt = JsonNode.Parse(node.ToJsonString(Compact), documentOptions: ComfyJson.Bounded);
        Visit(rebuilt);
        return rebuilt;

        // Objects read their names late, and only then say that one is there twice.
        static void Visit(JsonNode? part)
        {
            foreach (var child in part switch { JsonObject map => map.Select(member => member.Value), JsonArray array => array, _ => [] })
                Visit(child);
        }
    }

    private static string Capital(string name) => name == "the workflow" ? "The workflow" : $"'{name}'";

    private static string Short(string text) => ServiceText.Clean(text.Length > 80 ? text[..77] + "..." : text, new());
}
