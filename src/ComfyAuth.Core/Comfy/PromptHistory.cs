using System.Text.Json;
using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>What became of a prompt that has ended.</summary>
public sealed record PromptHistory
{
    /// <summary>The prompt.</summary>
    public required string PromptId { get; init; }

    /// <summary>How it ended: <see cref="PromptEventKind.Succeeded"/>, <see cref="PromptEventKind.Failed"/> or <see cref="PromptEventKind.Interrupted"/>.</summary>
    public required PromptEventKind Outcome { get; init; }

    /// <summary>What failed; null when nothing did, or the server does not tell.</summary>
    public ComfyWorkflowProblem? Failure { get; init; }

    /// <summary>The nodes that were not run, because their results were there already.</summary>
    public IReadOnlyList<string> Cached { get; init; } = [];

    /// <summary>The files that it gave out, in the server's order.</summary>
    public IReadOnlyList<ComfyOutput> Outputs { get; init; } = [];

    /// <summary>How long it ran, by the server's clock; null when the server does not tell.</summary>
    public TimeSpan? Elapsed { get; init; }

    /// <summary>Reads what <c>/history/{id}</c> says; null while the prompt has not ended, and of one that is not known.</summary>
    internal static PromptHistory? Read(JsonElement answer, string promptId, SecretRedactor redactor)
    {
        var entry = answer.Member(promptId);
        if (entry.ValueKind != JsonValueKind.Object)
            return null;

        var status = entry.Member("status");
        var messages = status.Member("messages").Items()
            .Select(message => message.Items().Take(2).ToList())
            .Where(parts => parts.Count == 2 && parts[0].ValueKind == JsonValueKind.String)
            .Select(parts => (Name: parts[0].GetString()!, Content: parts[1]))
            .ToList();
        var failure = messages.Where(message => message.Name == "execution_error").Select(message => PromptEvent.Failure(message.Content, redactor)).FirstOrDefault();
        return new()
        {
            PromptId = promptId,
            Outcome = messages.Exists(message => message.Name == "execution_interrupted") ? PromptEventKind.Interrupted
                // Old versions tell no status; then what it gave out is all that tells.
                : failure is not null || status.Text("status_str") == "error" || (status.ValueKind == JsonValueKind.Object && status.Member("completed").ValueKind == JsonValueKind.False) ? PromptEventKind.Failed
                : PromptEventKind.Succeeded,
            Failure = failure,
            Cached = [.. messages.Where(message => message.Name == "execution_cached").SelectMany(message => message.Content.Member("nodes").Items()).Select(node => node.AsText()).OfType<string>().Select(node => ServiceText.Clean(node, redactor))],
            Outputs = [.. entry.Member("outputs").Members().SelectMany(output => Files(ServiceText.Clean(output.Name, redactor), output.Value))],
            Elapsed = Time("execution_start") is { } start && (Time("execution_success") ?? Time("execution_error") ?? Time("execution_interrupted")) is { } end && end >= start
                ? TimeSpan.FromMilliseconds(Math.Min(end - start, TimeSpan.FromDays(365).TotalMilliseconds))
                : null,
        };

        long? Time(string name) => messages.Where(message => message.Name == name).Select(message => message.Content.Whole("timestamp")).FirstOrDefault(time => time is not null);
    }

    /// <summary>Nodes call what they give out images, gifs, audio and more; a file is whatever has a name.</summary>
    internal static IEnumerable<ComfyOutput> Files(string node, JsonElement output) =>
        from kind in output.Members()
        from item in kind.Value.Items()
        let name = item.Text("filename")
        where !string.IsNullOrEmpty(name)
        select new ComfyOutput(node, new(name, item.Text("subfolder") ?? "", item.Text("type") ?? "output"));
}
