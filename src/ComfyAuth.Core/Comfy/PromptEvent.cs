using System.Text.Json;
using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>Something that happens to a prompt.</summary>
public sealed record PromptEvent
{
    /// <summary>What happens.</summary>
    public required PromptEventKind Kind { get; init; }

    /// <summary>The prompt.</summary>
    public required string PromptId { get; init; }

    /// <summary>The node it happens in; empty where it is the whole prompt's.</summary>
    public string Node { get; init; } = "";

    /// <summary>The nodes whose results are there already.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>How many steps of the node are done.</summary>
    public long Done { get; init; }

    /// <summary>How many steps it has; 0 when not known.</summary>
    public long Total { get; init; }

    /// <summary>How many prompts are before it; null when not known.</summary>
    public int? Ahead { get; init; }

    /// <summary>What went wrong; null when nothing did.</summary>
    public ComfyWorkflowProblem? Problem { get; init; }

    /// <summary>All that is known of a prompt that has ended; null before, and where a message told the end.</summary>
    internal PromptHistory? History { get; init; }

    /// <summary>Whether nothing can come after it.</summary>
    public bool IsEnd => Kind is PromptEventKind.Succeeded or PromptEventKind.Failed or PromptEventKind.Interrupted;

    /// <summary>Reads a message of the websocket; null for what is of no interest, or another prompt's.</summary>
    internal static PromptEvent? Read(JsonElement message, string promptId, SecretRedactor redactor)
    {
        var data = message.Member("data");
        if (data.Text("prompt_id") is { } id && id != promptId)
            return null;

        var node = data.Member("node").AsText() ?? "";
        var about = new PromptEvent { Kind = PromptEventKind.Started, PromptId = promptId, Node = node };
        return message.Text("type") switch
        {
            "execution_start" => about,
            "execution_cached" => about with { Kind = PromptEventKind.Cached, Nodes = [.. data.Member("nodes").Items().Select(item => item.AsText()).OfType<string>()] },
            "executing" when node.Length > 0 => about with { Kind = PromptEventKind.Executing },

            // How it ended is told by another message, or by the history.
            "executing" when data.Member("prompt_id").ValueKind == JsonValueKind.String => about with { Kind = PromptEventKind.Succeeded },
            "progress" => about with { Kind = PromptEventKind.Progress, Done = Math.Max(0, data.Whole("value") ?? 0), Total = Math.Max(0, data.Whole("max") ?? 0) },
            "executed" => about with { Kind = PromptEventKind.Executed },
            "execution_success" => about with { Kind = PromptEventKind.Succeeded },
            "execution_error" => about with { Kind = PromptEventKind.Failed, Node = data.Member("node_id").AsText() ?? "", Problem = Failure(data, redactor) },
            "execution_interrupted" => about with { Kind = PromptEventKind.Interrupted, Node = data.Member("node_id").AsText() ?? "" },
            _ => null,
        };
    }

    /// <summary>What an <c>execution_error</c> says.</summary>
    internal static ComfyWorkflowProblem Failure(JsonElement data, SecretRedactor redactor)
    {
        var (type, message) = (ServiceText.Clean(data.Text("exception_type"), redactor), ServiceText.Clean(data.Text("exception_message"), redactor).TrimEnd('.'));
        return new()
        {
            NodeId = ServiceText.Clean(data.Member("node_id").AsText(), redactor),
            NodeClass = ServiceText.Clean(data.Text("node_type"), redactor),
            Reason = message.Length == 0 ? (type.Length == 0 ? "it failed without a message" : type) : type.Length == 0 ? message : $"{type}: {message}",
            Remedy = type.Contains("OutOfMemory", StringComparison.OrdinalIgnoreCase) || message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
                ? "Use a smaller picture or model, or free the memory of what else uses the device."
                : "",
        };
    }
}
