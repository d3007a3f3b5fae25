using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>
/// Runs prompts, one at a time. What a node gave in the prompt before is not worked out again where neither the node nor
/// anything that it depends on has changed.
/// </summary>
/// <param name="options">How the server is set up.</param>
/// <param name="folders">Where images are.</param>
/// <param name="clients">Are told of the progress.</param>
/// <param name="faults">The fault of a node, by its id and class; null: none.</param>
internal sealed class PromptExecutor(ComfyUIOptions options, ImageFolders folders, ClientSockets clients, Func<string, string, NodeFault?> faults)
{
    private Dictionary<string, NodeResult> _cache = new(StringComparer.Ordinal);

    /// <summary>Forgets what nodes gave.</summary>
    public void Reset() => _cache = new(StringComparer.Ordinal);

    /// <summary>Runs a prompt.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="nodes">Its nodes.</param>
    /// <param name="interrupt">Interrupts it.</param>
    /// <param name="stop">Ends it without an outcome, as the program ends.</param>
    /// <returns>Its part of the history: outputs, status, meta data.</returns>
    public async Task<JsonObject> ExecuteAsync(QueuedPrompt prompt, JsonObject nodes, CancellationToken interrupt, CancellationToken stop)
    {
        var run = new Run(prompt, nodes, clients, options);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interrupt, stop);
        run.Tell("execution_start", []);

        var order = Order(nodes, prompt.Outputs);
        var signatures = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var id in order)
            signatures[id] = Signature(nodes[id]!.AsObject(), signatures);

        // Only the prompt before is remembered.
        _cache = _cache.Where(one => signatures.ContainsValue(one.Key)).ToDictionary(StringComparer.Ordinal);
        var cached = order.Where(id => _cache.ContainsKey(signatures[id])).ToHashSet(StringComparer.Ordinal);
        run.Tell("execution_cached", new() { ["nodes"] = Texts(order.Where(cached.Contains)) });

        var results = new Dictionary<string, NodeResult>(StringComparer.Ordinal);
        var isDone = true;
        foreach (var id in order)
        {
            if (cached.Contains(id))
            {
                // What only others depend on is not come by again.
                results[id] = _cache[signatures[id]];
                if (prompt.Outputs.Contains(id))
                    run.Finish(id, results[id].Images, wasRun: false);
                continue;
            }

            if (!await TryRunAsync(run, id, results, either.Token, stop))
            {
                isDone = false;
                break;
            }

            _cache[signatures[id]] = results[id];
        }

        if (isDone)
            run.Tell("execution_success", []);
        return run.Outcome(isDone);
    }

    private async Task<bool> TryRunAsync(Run run, string id, Dictionary<string, NodeResult> results, CancellationToken interrupt, CancellationToken stop)
    {
        var name = run.ClassOf(id);
        run.Start(id);
        try
        {
            if (faults(id, name) is { } fault)
            {
                if (fault.ExceptionType is { } type)
                    throw new NodeException(fault.ExceptionMessage, type);
                await Task.Delay(Timeout.InfiniteTimeSpan, interrupt);
            }

            interrupt.ThrowIfCancellationRequested();
            var inputs = new NodeInputs(run.Nodes[id]!["inputs"]!.AsObject(), results, run.PromptText);
            results[id] = await NodeFunctions.RunAsync(name, inputs, folders, (value, most, preview) => run.StepAsync(id, value, most, preview, interrupt));
            run.Finish(id, results[id].Images, wasRun: true);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            run.Tell("execution_interrupted", run.Failure(id), toAll: true);
            return false;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            var failure = run.Failure(id);
            failure["exception_message"] = options.IsRecent ? error.Message + "\n" : error.Message;
            failure["exception_type"] = error is NodeException raised ? raised.Type : "OSError";
            failure["traceback"] = new JsonArray(
                "  File \"/app/ComfyUI/execution.py\", line 327, in execute\n    output_data, output_ui, has_subgraph = get_output_data(obj, input_data_all)\n",
                $"  File \"/app/ComfyUI/nodes.py\", line 1, in {name}\n");
            failure["current_inputs"] = new JsonObject(run.Nodes[id]!["inputs"]!.AsObject().Where(input => input.Value is JsonValue).Select(input => KeyValuePair.Create(input.Key, (JsonNode?)new JsonArray(input.Value!.DeepClone()))));
            failure["current_outputs"] = Texts(results.Keys);
            run.Tell("execution_error", failure);
            return false;
        }
    }

    /// <summary>The nodes that the outputs need, each behind those that it depends on.</summary>
    private static List<string> Order(JsonObject nodes, IReadOnlyList<string> outputs)
    {
        var order = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in outputs)
            Visit(output);
        return order;

        void Visit(string id)
        {
            if (!seen.Add(id))
                return;
            foreach (var (_, value) in nodes[id]!["inputs"]!.AsObject())
            {
                if (SourceOf(value) is { } source && nodes.ContainsKey(source))
                    Visit(source);
            }

            order.Add(id);
        }
    }

    /// <summary>The same for nodes that give the same, whatever their ids.</summary>
    private string Signature(JsonObject node, Dictionary<string, string> signatures)
    {
        var name = node["class_type"]!.GetValue<string>();
        var text = new StringBuilder(name);
        foreach (var (input, value) in node["inputs"]!.AsObject().OrderBy(input => input.Key, StringComparer.Ordinal))
        {
            text.Append('\0').Append(input).Append('\0');
            text.Append(SourceOf(value) is { } source && signatures.TryGetValue(source, out var of) ? of + value![1]!.ToJsonString() : value?.ToJsonString());
        }

        // The same name may stand for another picture by now.
        if (name == "LoadImage")
            text.Append('\0').Append(DigestOf(node["inputs"]!["image"]?.ToString() ?? ""));
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>The digest of an upload; where it cannot be read, one that is no other's.</summary>
    private string DigestOf(string upload)
    {
        try
        {
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(folders.Upload(upload) ?? "")));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Guid.NewGuid().ToString();
        }
    }

    /// <summary>The node that a link leads to; null: it is none. Inputs that a class does not know may hold any list.</summary>
    private static string? SourceOf(JsonNode? value) =>
        value is JsonArray { Count: 2 } link && link[1] is not null && link[0] is JsonValue source && source.TryGetValue(out string? id) ? id : null;

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => JsonValue.Create(text))];

    /// <summary>One run of a prompt: what is told of it, and what remains in the history.</summary>
    private sealed class Run(QueuedPrompt prompt, JsonObject nodes, ClientSockets clients, ComfyUIOptions options)
    {
        // Written as 1.0, as the real one does where a node tells no steps.
        private const decimal Whole = 1.0m;

        private readonly JsonArray _messages = [];
        private readonly JsonObject _outputs = [];
        private readonly JsonObject _meta = [];
        private readonly JsonObject _progress = [];
        private readonly List<string> _executed = [];

        public JsonObject Nodes => nodes;

        /// <summary>The prompt as an image keeps it: in ASCII.</summary>
        public string PromptText { get; } = nodes.ToJsonString();

        public string ClassOf(string id) => nodes[id]!["class_type"]!.GetValue<string>();

        /// <summary>Tells the client, and keeps it for the history.</summary>
        public void Tell(string type, JsonObject data, bool toAll = false)
        {
            data.Insert(0, "prompt_id", prompt.Id);
            data["timestamp"] = options.Clock.GetUtcNow().ToUnixTimeMilliseconds();
            _messages.Add(new JsonArray(type, data));
            if (toAll)
                clients.SendToAll(type, data);
            else
                Send(type, data);
        }

        public void Start(string id)
        {
            ReportProgress(id, "running", 0.0m, Whole);
            clients.Current = prompt.ClientId is null ? null : (prompt.ClientId, id);
            Send("executing", new() { ["node"] = id, ["display_node"] = id, ["prompt_id"] = prompt.Id });
        }

        public async Task StepAsync(string id, int value, int most, Picture? preview, CancellationToken interrupt)
        {
            await Task.Delay(options.StepTime, options.Clock, interrupt);
            interrupt.ThrowIfCancellationRequested();
            ReportProgress(id, "running", value, most);
            Send("progress", new() { ["value"] = value, ["max"] = most, ["prompt_id"] = prompt.Id, ["node"] = id });
            if (options.Previews && preview is not null && prompt.ClientId is { } client)
                clients.SendPreview(client, PngFile.Write(preview));
        }

        public void Finish(string id, JsonArray? images, bool wasRun)
        {
            if (images is not null)
            {
                _outputs[id] = new JsonObject { ["images"] = images.DeepClone() };
                _meta[id] = new JsonObject { ["node_id"] = id, ["display_node"] = id, ["parent_node"] = null, ["real_node_id"] = id };
                Send("executed", new() { ["node"] = id, ["display_node"] = id, ["output"] = _outputs[id]!.DeepClone(), ["prompt_id"] = prompt.Id });
            }

            if (wasRun)
                _executed.Add(id);
            var most = _progress[id]?["max"]?.GetValue<decimal>() ?? (wasRun ? Whole : 1);
            ReportProgress(id, "finished", most, most);
        }

        public JsonObject Failure(string id) => new() { ["node_id"] = id, ["node_type"] = ClassOf(id), ["executed"] = Texts(_executed) };

        public JsonObject Outcome(bool isDone)
        {
            clients.Current = null;
            return new()
            {
                ["outputs"] = _outputs,
                ["status"] = new JsonObject { ["status_str"] = isDone ? "success" : "error", ["completed"] = isDone, ["messages"] = _messages },
                ["meta"] = _meta,
            };
        }

        private void Send(string type, JsonObject data)
        {
            if (prompt.ClientId is { } client)
                clients.Send(client, type, data);
        }

        private void ReportProgress(string id, string state, decimal value, decimal most)
        {
            if (!options.IsRecent)
                return;
            _progress[id] = new JsonObject { ["value"] = value, ["max"] = most, ["state"] = state, ["node_id"] = id, ["prompt_id"] = prompt.Id, ["display_node_id"] = id, ["parent_node_id"] = null, ["real_node_id"] = id };
            Send("progress_state", new() { ["prompt_id"] = prompt.Id, ["nodes"] = _progress.DeepClone() });
        }
    }
}
