using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>Says of a prompt whether it is taken, as ComfyUI does before anything runs.</summary>
internal sealed class PromptValidator(NodeCatalog catalog, ImageFolders folders, bool isRecent)
{
    private const int MostChoicesShown = 20;

    // Where Python, which goes no deeper, gives up.
    private const int MaximumDepth = 900;

    /// <summary>Validates a prompt.</summary>
    /// <param name="prompt">The nodes by their ids.</param>
    /// <exception cref="FormatException">It is of a form at which the real server stumbles, and answers 500.</exception>
    public PromptVerdict Validate(JsonNode? prompt)
    {
        // A text and an empty list have no nodes that could be wrong.
        var nodes = prompt switch
        {
            JsonObject map => map,
            JsonArray { Count: 0 } => [],
            JsonValue when IsText(prompt) && prompt.GetValue<string>().Length == 0 => [],
            _ => throw new FormatException("The prompt is no object."),
        };

        foreach (var (id, node) in nodes)
        {
            if (node is null or JsonValue && !IsText(node))
                throw new FormatException("A node is neither an object nor anything that can be looked into.");
            if ((node as JsonObject)?["class_type"] is not { } name)
                return Refuse("invalid_prompt", "Cannot execute because a node is missing the class_type property.", $"Node ID '#{id}'");
            if (!IsText(name) || !catalog.Has(name.GetValue<string>()))
                return Refuse("invalid_prompt", $"Cannot execute because node {PythonText(name)} does not exist.", $"Node ID '#{id}'");
        }

        var outputs = nodes.Select(node => node.Key).Where(id => catalog.IsOutput(ClassOf(nodes, id))).ToList();
        return outputs.Count == 0 ? Refuse("prompt_no_outputs", "Prompt has no outputs", "") : ValidateOutputs(nodes, outputs);
    }

    private PromptVerdict ValidateOutputs(JsonObject nodes, List<string> outputs)
    {
        var good = new List<string>();
        var details = new List<string>();
        var nodeErrors = new JsonObject();
        var known = new Dictionary<string, NodeVerdict?>(StringComparer.Ordinal);
        foreach (var output in outputs)
        {
            try
            {
                ValidateNode(nodes, output, known);
            }
            catch (NodeException error)
            {
                known[output] = new(false, [Error("exception_during_validation", "Exception when validating node", error.Message, new() { ["exception_type"] = error.Type, ["traceback"] = new JsonArray() })]);
            }

            var outcome = known[output]!;
            if (outcome.IsValid)
            {
                good.Add(output);
                continue;
            }

            details.AddRange(outcome.Errors.Select(error => $"{error["message"]}: {error["details"]}"));

            // A node that fails for another's sake has no errors of its own and is not told of.
            foreach (var (id, verdict) in known)
            {
                if (verdict is null or { IsValid: true } or { Errors.Count: 0 })
                    continue;
                if (nodeErrors[id] is not { } told)
                {
                    nodeErrors[id] = told = new JsonObject
                    {
                        ["errors"] = new JsonArray([.. verdict.Errors.Select(error => error.DeepClone())]),
                        ["dependent_outputs"] = new JsonArray(),
                        ["class_type"] = ClassOf(nodes, id),
                    };
                }

                told["dependent_outputs"]!.AsArray().Add(output);
            }
        }

        return good.Count > 0
            ? new(null, nodeErrors, good)
            : new(Error("prompt_outputs_failed_validation", "Prompt outputs failed validation", string.Join('\n', details), []), nodeErrors, []);
    }

    private NodeVerdict ValidateNode(JsonObject nodes, string id, Dictionary<string, NodeVerdict?> known, int depth = 0)
    {
        if (known.GetValueOrDefault(id) is { } already)
            return already;
        if (depth > MaximumDepth || !known.TryAdd(id, null))
            throw new NodeException("maximum recursion depth exceeded", "RecursionError");

        var name = ClassOf(nodes, id);
        if (nodes[id]!["inputs"] is not JsonObject inputs)
            throw new NodeException("'inputs'", "KeyError");

        var errors = new List<JsonObject>();
        var valid = true;
        foreach (var input in catalog.Inputs(name))
        {
            if (!inputs.TryGetPropertyValue(input.Name, out var value))
            {
                if (input.IsRequired)
                    errors.Add(Error("required_input_missing", "Required input is missing", input.Name, new() { ["input_name"] = input.Name }));
            }
            else if (value is JsonArray link)
            {
                valid &= ValidateLink(nodes, input, link, known, errors, depth);
            }
            else if (WrongValue(name, input, value) is { } wrong)
            {
                errors.Add(wrong);
            }
        }

        // A node that depends on itself was told so further down.
        return known[id] ??= new(valid && errors.Count == 0, errors);
    }

    private bool ValidateLink(JsonObject nodes, NodeInput input, JsonArray link, Dictionary<string, NodeVerdict?> known, List<JsonObject> errors, int depth)
    {
        if (link.Count != 2)
        {
            errors.Add(Error("bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]", input.Name, Extra(input, link)));
            return false;
        }

        var source = PythonText(link[0]);
        if (!IsText(link[0]) || !nodes.ContainsKey(source))
            throw new NodeException(IsText(link[0]) ? $"'{source}'" : source, "KeyError");
        if (link[1] is not JsonValue slotValue || !slotValue.TryGetValue(out int slot))
            throw new NodeException("list indices must be integers or slices, not str", "TypeError");
        var outputs = catalog.Outputs(ClassOf(nodes, source));
        if (slot >= outputs.Length || slot < -outputs.Length)
            throw new NodeException("tuple index out of range", "IndexError");

        var type = outputs[slot < 0 ? outputs.Length + slot : slot];
        if (type != input.Type)
        {
            var extra = Extra(input, null);
            extra["received_type"] = type;
            extra["linked_node"] = link.DeepClone();
            errors.Add(Error("return_type_mismatch", "Return type mismatch between linked nodes", $"{input.Name}, received_type({type}) mismatch input_type({input.Type})", extra));
            return false;
        }

        try
        {
            return ValidateNode(nodes, source, known, depth + 1).IsValid;
        }
        catch (NodeException error)
        {
            var extra = Extra(input, null);
            extra["exception_message"] = error.Message;
            extra["exception_type"] = error.Type;
            extra["traceback"] = new JsonArray();
            extra["linked_node"] = link.DeepClone();
            known[source] = new(false, [Error("exception_during_inner_validation", "Exception when validating inner node", error.Message, extra)]);
            return false;
        }
    }

    /// <summary>What is wrong with a value that is no link; null: nothing.</summary>
    private JsonObject? WrongValue(string name, NodeInput input, JsonNode? value)
    {
        if (input.Type is "INT" or "FLOAT")
        {
            var text = PythonText(value);
            if (Number(value, input.Type) is not { } number)
            {
                var problem = input.Type == "INT" ? $"invalid literal for int() with base 10: '{text}'" : $"could not convert string to float: '{text}'";
                var extra = Extra(input, value);
                extra["exception_message"] = problem;
                return Error("invalid_input_type", $"Failed to convert an input value to a {input.Type} value", $"{input.Name}, {text}, {problem}", extra);
            }

            if (input.Limits?["min"] is { } least && number < Decimal(least))
                return Error("value_smaller_than_min", $"Value {text} smaller than min of {least}", input.Name, Extra(input, value));
            if (input.Limits?["max"] is { } most && number > Decimal(most))
                return Error("value_bigger_than_max", $"Value {text} bigger than max of {most}", input.Name, Extra(input, value));
            return null;
        }

        if (name == "LoadImage" && input.Name == "image")
        {
            return folders.Upload(PythonText(value)) is null
                ? Error("custom_validation_failed", "Custom validation failed for node", $"image - Invalid image file: {PythonText(value)}", new() { ["input_name"] = input.Name })
                : null;
        }

        if (input.Choices is not { } choices || (IsText(value) && choices.Contains(value!.GetValue<string>())))
            return null;

        var shown = choices.Count > MostChoicesShown ? $"(list of length {choices.Count})" : $"[{string.Join(", ", choices.Select(choice => $"'{choice}'"))}]";
        return Error("value_not_in_list", "Value not in list", $"{input.Name}: '{PythonText(value)}' not in {shown}", Extra(input, value));
    }

    /// <summary>A number as Python would make one of it; null: it cannot.</summary>
    private static decimal? Number(JsonNode? value, string type)
    {
        switch (value?.GetValueKind())
        {
            case JsonValueKind.True:
                return 1;
            case JsonValueKind.False:
                return 0;
            case JsonValueKind.Number:
                // What is too large for this number is too large for every limit, too.
                var written = value.ToJsonString();
                if (!decimal.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                    number = written[0] == '-' ? decimal.MinValue : decimal.MaxValue;
                return type == "INT" ? decimal.Truncate(number) : number;
            case JsonValueKind.String:
                return decimal.TryParse(value.GetValue<string>(), type == "INT" ? NumberStyles.Integer : NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
            default:
                return null;
        }
    }

    private static decimal Decimal(JsonNode limit) => decimal.Parse(limit.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private PromptVerdict Refuse(string type, string message, string details) =>
        new(Error(type, message, details, []), isRecent ? new JsonObject() : new JsonArray(), []);

    private static JsonObject Error(string type, string message, string details, JsonObject extra) =>
        new() { ["type"] = type, ["message"] = message, ["details"] = details, ["extra_info"] = extra };

    private static JsonObject Extra(NodeInput input, JsonNode? received)
    {
        var type = input.Choices is { } choices ? new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) : (JsonNode)JsonValue.Create(input.Type);
        var extra = new JsonObject { ["input_name"] = input.Name, ["input_config"] = new JsonArray(type, input.Limits?.DeepClone() ?? new JsonObject()) };
        if (received is not null)
            extra["received_value"] = received.DeepClone();
        return extra;
    }

    private static string ClassOf(JsonObject nodes, string id) => nodes[id]!["class_type"]!.GetValue<string>();

    private static bool IsText(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String;

    private static string PythonText(JsonNode? value) => value?.GetValueKind() switch
    {
        null => "None",
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        _ => value.ToJsonString(),
    };

    private sealed record NodeVerdict(bool IsValid, IReadOnlyList<JsonObject> Errors);
}
