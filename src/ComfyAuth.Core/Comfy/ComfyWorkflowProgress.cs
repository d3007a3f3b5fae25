using System.Globalization;

namespace ComfyAuth.Comfy;

/// <summary>Says what happens to a prompt in words, and how far it is.</summary>
/// <param name="workflow">The workflow that runs.</param>
/// <param name="tell">Is told what it is at, and how many thousandths of it are done; -1 when that is not known.</param>
/// <param name="warn">Is told what is wrong and does no harm.</param>
/// <param name="note">Is told what only somebody wants to know who looks for a fault.</param>
public sealed class ComfyWorkflowProgress(ComfyWorkflow workflow, Action<string, int> tell, Action<string> warn, Action<string> note) : IProgress<PromptEvent>
{
    private readonly HashSet<string> _begun = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Report(PromptEvent value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var node = workflow.Nodes.FirstOrDefault(candidate => candidate.Id == value.Node) is { } known ? $"{known.Class} (node {known.Id})" : "a node";
        switch (value.Kind)
        {
            case PromptEventKind.Warning:
                warn($"{workflow.Name}: {value.Problem}.");
                break;
            case PromptEventKind.Queued:
                tell(string.Create(CultureInfo.InvariantCulture, $"waits for {value.Ahead} before it"), -1);
                break;
            case PromptEventKind.Started:
                tell("runs", 0);
                break;
            case PromptEventKind.Cached:
                _begun.UnionWith(value.Nodes);
                break;
            case PromptEventKind.Executing:
                _begun.Add(value.Node);
                tell(node, Thousandths(0));
                break;
            case PromptEventKind.Progress:
                _begun.Add(value.Node);
                tell(
                    value.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{node}: step {value.Done} of {value.Total}") : node,
                    Thousandths(value.Total > 0 ? Math.Min(1, value.Done / (double)value.Total) : 0));
                break;
            case PromptEventKind.ConnectionLost:
                note($"{workflow.Name}: no websocket; asking instead.");
                break;
        }
    }

    private int Thousandths(double ofNode) => (int)Math.Clamp(1000 * (_begun.Count - 1 + ofNode) / workflow.Nodes.Count, 0, 1000);
}
