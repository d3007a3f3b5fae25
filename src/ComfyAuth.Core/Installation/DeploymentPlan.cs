using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation;

/// <summary>What a deployment lacks, and what it has already.</summary>
public sealed record DeploymentPlan
{
    /// <summary>The stack as it is, or as it will be where the plan makes its description.</summary>
    public required GenAIStack Stack { get; init; }

    /// <summary>The files that are missing; empty where the deployment is laid out.</summary>
    public required IReadOnlyList<DeploymentFile> Missing { get; init; }

    /// <summary>Files of the user that differ from what these options would give, and stay as they are: paths relative to the root. Settings are not compared.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    /// <summary>Asks a transaction on the root to write what is missing; it fails with <c>FileChangedMeanwhile</c> where somebody made one of the files meanwhile.</summary>
    /// <param name="transaction">A transaction on the root.</param>
    public void AddTo(FileTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        foreach (var file in Missing)
        {
            transaction.Expect(file.Path, null);
            transaction.Write(file.Path, file.Content, file.Protection);
        }
    }
}
