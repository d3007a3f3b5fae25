using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>Says what a server would refuse of a workflow, and more clearly than it does: which custom node or model file is missing.</summary>
public static class ComfyWorkflowValidator
{
    private const int MostListed = 5;

    // What a file that an input names is, and the folder below ComfyUI's models that it belongs into.
    private static readonly Dictionary<string, (string Kind, string Folder)> Files = new(StringComparer.Ordinal)
    {
        ["ckpt_name"] = ("checkpoint", "checkpoints"),
        ["unet_name"] = ("diffusion model", "diffusion_models"),
        ["vae_name"] = ("VAE", "vae"),
        ["clip_name"] = ("text encoder", "text_encoders"),
        ["clip_name1"] = ("text encoder", "text_encoders"),
        ["clip_name2"] = ("text encoder", "text_encoders"),
        ["clip_name3"] = ("text encoder", "text_encoders"),
        ["clip_name4"] = ("text encoder", "text_encoders"),
        ["lora_name"] = ("LoRA file", "loras"),
        ["control_net_name"] = ("ControlNet model", "controlnet"),
        ["style_model_name"] = ("style model", "style_models"),
        ["gligen_name"] = ("GLIGEN model", "gligen"),
        ["hypernetwork_name"] = ("hypernetwork", "hypernetworks"),
    };

    /// <summary>Compares a workflow with the classes of a server.</summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="info">What the server knows.</param>
    /// <returns>The problems; empty when the server can run it, as far as its description tells.</returns>
    public static IReadOnlyList<ComfyWorkflowProblem> Validate(ComfyWorkflow workflow, ComfyObjectInfo info)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        ArgumentNullException.ThrowIfNull(info);
        var nodes = workflow.Nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var unknown = workflow.Nodes.Where(node => !info.Classes.ContainsKey(node.Class)).Select(node => Unknown(node, info)).ToList();
        if (unknown.Count > 0)
            return unknown;

        // The server runs, and looks at, only what its outputs need.
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>(workflow.Nodes.Where(node => info.Classes[node.Class].IsOutput).Select(node => node.Id));
        if (waiting.Count == 0)
            return [new() { Reason = "it has no node that gives something out", Remedy = "Add one that does, such as SaveImage." }];
        while (waiting.TryPop(out var id))
        {
            if (!nodes.TryGetValue(id, out var node) || !needed.Add(id))
                continue;
            foreach (var (_, value) in node.Inputs)
            {
                if (ComfyWorkflow.Link(value) is { } link)
                    waiting.Push(link.Node);
            }
        }

        return [.. workflow.Nodes.Where(node => needed.Contains(node.Id)).SelectMany(node => Inputs(node, info, nodes)), .. Loop(workflow, nodes, needed)];
    }

    private static ComfyWorkflowProblem Unknown(ComfyWorkflowNode node, ComfyObjectInfo info) => new()
    {
        NodeId = node.Id,
        NodeClass = node.Class,
        Reason = $"the server has no class '{node.Class}'",
        Remedy = $"{NearestName.Suggest(node.Class, info.Classes.Keys)}Install the custom node that brings {node.Class}, or update ComfyUI, and restart it; if it is installed, the log of the start says why it could not be loaded.",
    };

    private static IEnumerable<ComfyWorkflowProblem> Inputs(ComfyWorkflowNode node, ComfyObjectInfo info, Dictionary<string, ComfyWorkflowNode> nodes)
    {
        foreach (var input in info.Classes[node.Class].Inputs.Values)
        {
            if (!node.Inputs.TryGetPropertyValue(input.Name, out var value))
            {
                if (input.IsRequired)
                    yield return Problem("it is required and not given", $"Give it with -Input @{{ '{node.Id}.{input.Name}' = ... }}, or link it in the workflow.");
                continue;
            }

            if (value is JsonArray)
            {
                if (ComfyWorkflow.Link(value) is not { } link)
                {
                    // Some custom inputs take lists; the common ones do not.
                    if (input.Type is "INT" or "FLOAT" or "STRING" or "BOOLEAN" or ComfyNodeInput.ChoiceType || char.IsAsciiLetterUpper(input.Type[0]))
                        yield return Problem("it is a list, and no link of node id and output", "Link it again in ComfyUI, and export the workflow again.");
                }
                else if (!nodes.TryGetValue(link.Node, out var source))
                {
                    yield return Problem($"it links to node {link.Node}, which does not exist", "Link it again in ComfyUI, and export the workflow again.");
                }
                else
                {
                    var outputs = info.Classes[source.Class].Outputs;
                    if (link.Output < 0 || link.Output >= outputs.Count)
                        yield return Problem($"it links to output {link.Output} of node {source.Id} ({source.Class}), which has {outputs.Count}", "Link it again in ComfyUI, and export the workflow again.");
                    else if (!Fits(outputs[link.Output], input.Type))
                        yield return Problem($"it takes {input.Type}, and output {link.Output} of node {source.Id} ({source.Class}) gives {outputs[link.Output]}", "Link it to an output of that type.");
                }

                continue;
            }

            if (Wrong(node, input, value) is { } wrong)
                yield return Problem(wrong.Reason, wrong.Remedy);

            ComfyWorkflowProblem Problem(string reason, string remedy) => new() { NodeId = node.Id, NodeClass = node.Class, Input = input.Name, Reason = reason, Remedy = remedy };
        }
    }

    /// <summary>Types match when they share one, or one of them is anything; choices are given as texts too.</summary>
    private static bool Fits(string given, string taken)
    {
        if (given is ComfyNodeInput.AnyType or ComfyNodeInput.ChoiceType || taken is ComfyNodeInput.AnyType or ComfyNodeInput.ChoiceType)
            return true;
        var types = taken.Split(',', StringSplitOptions.TrimEntries);
        return given.Split(',', StringSplitOptions.TrimEntries).Any(type => type == ComfyNodeInput.AnyType || types.Contains(type, StringComparer.Ordinal) || types.Contains(ComfyNodeInput.AnyType, StringComparer.Ordinal));
    }

    private static (string Reason, string Remedy)? Wrong(ComfyWorkflowNode node, ComfyNodeInput input, JsonNode? value)
    {
        var text = value is JsonValue single ? single.GetValue<JsonElement>().AsText() : null;
        switch (input.Type)
        {
            case ComfyNodeInput.ChoiceType:
                if (input.Choices is not { } choices || text is null || choices.Contains(text, StringComparer.Ordinal))
                    return null;

                // Of files that are uploaded, the server lists those of one folder, and takes others with their folder.
                return !input.TakesUpload ? NoChoice(node, input, choices, text)
                    : text.Contains('/', StringComparison.Ordinal) || text.EndsWith(']') ? null
                    : ($"'{Short(text)}' is neither a file of this machine nor one of the server's", "Check the path; the file is uploaded when it is given with -Input.");
            case "INT" or "FLOAT":
                // Texts that are numbers are taken for them.
                if (value is null or JsonObject || !double.TryParse(text switch { "True" => "1", "False" => "0", _ => text }, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
                    return ($"'{Short(text ?? "")}' is no number", "Give a number.");
                if (number < input.Minimum || number > input.Maximum)
                    return (string.Create(CultureInfo.InvariantCulture, $"{Short(text!)} is not between {input.Minimum ?? double.NegativeInfinity} and {input.Maximum ?? double.PositiveInfinity}"), "Give a number in that range.");
                return null;
            case "STRING" or "BOOLEAN" or ComfyNodeInput.AnyType:
                return null;
            default:
                // Types that only links give are written in capital letters; those of custom inputs may be anything.
                return value is JsonValue && input.Type is "MODEL" or "CLIP" or "VAE" or "CONDITIONING" or "LATENT" or "IMAGE" or "MASK"
                    ? ($"it takes a link to a {input.Type}, and has a value", "Link it in ComfyUI, and export the workflow again.")
                    : null;
        }
    }

    private static (string Reason, string Remedy) NoChoice(ComfyWorkflowNode node, ComfyNodeInput input, IReadOnlyList<string> choices, string text)
    {
        // Servers on Windows write \ between folder and file.
        if (choices.FirstOrDefault(choice => choice.Replace('\\', '/').Equals(text.Replace('\\', '/'), StringComparison.OrdinalIgnoreCase)) is { } same)
            return ($"the server has no '{Short(text)}'", $"The server calls it '{Short(same)}'.");

        var listed = choices.Count == 0 ? "The server has none." : $"There are: {string.Join(", ", choices.Take(MostListed).Select(Short))}{(choices.Count > MostListed ? $" and {choices.Count - MostListed} more" : "")}.";
        var near = NearestName.Suggest(text, choices);
        if (Files.TryGetValue(input.Name, out var file))
            return ($"the {file.Kind} '{Short(text)}' is missing", $"{near}Put the file into models/{file.Folder} of ComfyUI. {listed}");
        return input.Name == "model_name" && node.Class.Contains("Upscale", StringComparison.Ordinal)
            ? ($"the upscale model '{Short(text)}' is missing", $"{near}Put the file into models/upscale_models of ComfyUI. {listed}")
            : ($"'{Short(text)}' is none of its choices", near + listed);
    }

    /// <summary>A node that needs itself, by way of others or not; the server would never end.</summary>
    private static IEnumerable<ComfyWorkflowProblem> Loop(ComfyWorkflow workflow, Dictionary<string, ComfyWorkflowNode> nodes, HashSet<string> needed)
    {
        // What needs nothing that is left is taken away, until nothing can be.
        var left = workflow.Nodes.Where(node => needed.Contains(node.Id))
            .ToDictionary(node => node.Id, node => node.Inputs.Select(input => ComfyWorkflow.Link(input.Value)?.Node).OfType<string>().Where(nodes.ContainsKey).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        while (left.Where(node => !node.Value.Any(left.ContainsKey)).Select(node => node.Key).ToList() is { Count: > 0 } free)
        {
            foreach (var id in free)
                left.Remove(id);
        }

        if (workflow.Nodes.FirstOrDefault(node => left.ContainsKey(node.Id)) is { } looped)
            yield return new() { NodeId = looped.Id, NodeClass = looped.Class, Reason = "it needs its own result, by way of its links", Remedy = "Link it again in ComfyUI, and export the workflow again." };
    }

    private static string Short(string text) => ServiceText.Clean(text.Length > 120 ? text[..117] + "..." : text, new());
}
