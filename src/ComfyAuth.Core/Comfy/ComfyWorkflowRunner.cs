using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ComfyAuth.Files;

namespace ComfyAuth.Comfy;

/// <summary>Runs workflows: checks them, uploads their pictures, follows them, and brings their results here.</summary>
/// <param name="client">Speaks with the service.</param>
public sealed class ComfyWorkflowRunner(ComfyClient client)
{
    private const int LargestUpload = 256 * 1024 * 1024;

    // What is cancelled is not waited for; but a server that runs on for nobody is told.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(5);

    /// <summary>Runs a workflow. What was put into the queue is taken out again, or stopped, when it is cancelled or takes too long.</summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Is told what happens, in order, and of what is wrong and does no harm; null when nobody listens.</param>
    /// <param name="stop">Cancels.</param>
    /// <returns>Each result, as soon as it is saved.</returns>
    /// <exception cref="ComfyWorkflowException">
    /// <c>WorkflowInvalid</c>: the server cannot run it, which was seen before it was asked to; <c>WorkflowRefused</c>: the server says so;
    /// <c>WorkflowFailed</c>: a node failed.
    /// </exception>
    /// <exception cref="ComfyAuthException">
    /// <c>WorkflowInterrupted</c>, <c>WorkflowTimedOut</c>, <c>WorkflowLost</c>; what <see cref="ComfyWorkflow.With"/> and the client report;
    /// a file cannot be read or written.
    /// </exception>
    public async IAsyncEnumerable<ComfyImage> RunAsync(ComfyWorkflow workflow, ComfyWorkflowOptions options, IProgress<PromptEvent>? progress, [EnumeratorCancellation] CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        ArgumentNullException.ThrowIfNull(options);
        var ready = await PrepareAsync(workflow, options, stop).ConfigureAwait(false);

        // Where nothing can be saved, nothing is made.
        FileErrors.On(options.OutFolder, () => Directory.CreateDirectory(options.OutFolder));
        var clock = Stopwatch.StartNew();
        var history = await FinishAsync(ready, options.Timeout, progress, stop).ConfigureAwait(false);
        var seconds = (history.Elapsed ?? clock.Elapsed).TotalSeconds;

        // Previews only where there is nothing else.
        var files = history.Outputs.Where(output => output.File.Type == "output").ToList();
        if (files.Count == 0)
            files = [.. history.Outputs.Where(output => output.File.Type == "temp")];
        if (files.Count == 0)
            progress?.Report(new() { Kind = PromptEventKind.Warning, PromptId = history.PromptId, Problem = new() { Reason = "it ended well and gave out no file" } });
        foreach (var output in files)
        {
            var path = await SaveAsync(output.File, options.OutFolder, stop).ConfigureAwait(false);
            var check = await CheckAsync(path, stop).ConfigureAwait(false);
            yield return new()
            {
                Path = path,
                Width = check.Width,
                Height = check.Height,
                Seconds = Math.Round(seconds, 3),
                IsCached = history.Cached.Contains(output.Node, StringComparer.Ordinal),
                Node = output.Node,
                PromptId = history.PromptId,
                Seed = ready.Seed,
                Workflow = workflow.Name,
                Problems = check.Problems,
            };
        }
    }

    /// <summary>Sets the inputs, checks the workflow, and only then uploads its pictures.</summary>
    private async Task<ComfyWorkflow> PrepareAsync(ComfyWorkflow workflow, ComfyWorkflowOptions options, CancellationToken stop)
    {
        var info = await client.ObjectInfoAsync(stop).ConfigureAwait(false);
        var set = workflow.With(options.Inputs);
        var uploads = new Dictionary<(string Node, string Input), string>();
        foreach (var (name, value) in options.Inputs)
        {
            var (node, input) = workflow.Find(name);
            if (value is string text && info.Classes.GetValueOrDefault(node.Class)?.Inputs.GetValueOrDefault(input) is { TakesUpload: true } && LocalPath(text, options.LocalFolder) is { } path)
                uploads[(node.Id, input)] = path;
        }

        var problems = ComfyWorkflowValidator.Validate(set, info)
            .Where(problem => !uploads.ContainsKey((problem.NodeId, problem.Input)))
            .ToList();
        if (problems.Count > 0)
            throw new ComfyWorkflowException("WorkflowInvalid", $"The service at {client.Address} cannot run {workflow.Name}", "", problems);

        var stored = new List<KeyValuePair<string, object?>>();
        foreach (var ((node, input), path) in uploads)
        {
            var image = await LocalFile.ReadAsync(path, LargestUpload, stop).ConfigureAwait(false);

            // The digest keeps it from replacing another picture of that name, and what is the same from being made anew.
            var name = $"comfyauth_{Convert.ToHexString(SHA256.HashData(image), 0, 4).ToLowerInvariant()}_{FileNames.Ascii(Path.GetFileName(path))}";
            var file = await client.UploadImageAsync(name, image, stop).ConfigureAwait(false);
            stored.Add(new($"{node}.{input}", JsonValue.Create(file.Subfolder.Length == 0 ? file.Name : $"{file.Subfolder}/{file.Name}")));
        }

        return set.With(stored);
    }

    private static string? LocalPath(string text, string? folder)
    {
        try
        {
            var path = Path.GetFullPath(text, folder ?? Environment.CurrentDirectory);
            return File.Exists(path) ? path : null;
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException or PathTooLongException)
        {
            // The name of a file of the server's, then.
            return null;
        }
    }

    private async Task<PromptHistory> FinishAsync(ComfyWorkflow workflow, TimeSpan timeout, IProgress<PromptEvent>? progress, CancellationToken stop)
    {
        var clientId = Guid.NewGuid().ToString("N");
        ComfyPrompt? prompt = null;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(timeout);
        try
        {
            prompt = await client.SubmitAsync(workflow, clientId, deadline.Token).ConfigureAwait(false);
            foreach (var warning in prompt.Warnings)
                progress?.Report(new() { Kind = PromptEventKind.Warning, PromptId = prompt.Id, Node = warning.NodeId, Problem = warning });
            await foreach (var happened in client.FollowAsync(prompt, deadline.Token).ConfigureAwait(false))
            {
                progress?.Report(happened);
                switch (happened.Kind)
                {
                    case PromptEventKind.Failed:
                        throw new ComfyWorkflowException(
                            "WorkflowFailed",
                            $"The service at {client.Address} failed to run {workflow.Name}",
                            "See the service's log.",
                            [happened.Problem ?? new() { NodeId = happened.Node, Reason = "it does not say why" }]);
                    case PromptEventKind.Interrupted:
                        throw new ComfyAuthException("WorkflowInterrupted", $"Somebody interrupted {workflow.Name} at {client.Address}.", "Run it again.");
                    case PromptEventKind.Succeeded:
                        return happened.History!;
                }
            }

            throw new UnreachableException();
        }
        catch (Exception error) when (error is not ComfyAuthException told || told.Code.StartsWith("Service", StringComparison.Ordinal))
        {
            // It may run on, and nobody would fetch what it makes.
            var left = await LeaveAsync(prompt, clientId).ConfigureAwait(false);
            if (left is not null && (prompt is not null || error is OperationCanceledException))
                progress?.Report(new() { Kind = PromptEventKind.Warning, PromptId = prompt?.Id ?? "", Problem = new() { Reason = left } });
            if (error is not OperationCanceledException || stop.IsCancellationRequested)
                throw;
            throw new ComfyAuthException(
                "WorkflowTimedOut",
                $"The service at {client.Address} did not end {workflow.Name} within {Duration.Format(timeout)}; {left ?? "it was told to stop"}.",
                "Give it longer with -Timeout, or see in the queue and the log what it is at.",
                error);
        }
    }

    /// <summary>Takes a prompt back that nobody waits for any more, within a short time.</summary>
    /// <returns>Why it may run on, without a full stop; null where it does not.</returns>
    private async Task<string?> LeaveAsync(ComfyPrompt? prompt, string clientId)
    {
        using var farewell = new CancellationTokenSource(LongestFarewell);
        try
        {
            if (prompt is null)
                await client.CancelOfClientAsync(clientId, farewell.Token).ConfigureAwait(false);
            else
                await client.CancelAsync(prompt.Id, farewell.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception error) when (error is ComfyAuthException or OperationCanceledException or ObjectDisposedException)
        {
            var why = error is ComfyAuthException ? error.Message.TrimEnd('.') : $"the service did not answer within {Duration.Format(LongestFarewell)}";
            return $"it could not be told to stop and may run on, because {why}; look at the queue in ComfyUI";
        }
    }

    /// <summary>Saves a file under the first free name that is like its own.</summary>
    private async Task<string> SaveAsync(ComfyFile file, string folder, CancellationToken stop)
    {
        var partial = Path.Combine(folder, $".comfyauth-{Guid.NewGuid():N}.partial");
        try
        {
            var stream = FileErrors.On(partial, () => new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None));
            await using (stream.ConfigureAwait(false))
            {
                await client.ViewAsync(file, stream, stop).ConfigureAwait(false);
            }

            foreach (var path in FileNames.Numbered(FileNames.Safe(file.Name)).Select(name => Path.Combine(folder, name)))
            {
                if (Path.Exists(path))
                    continue;
                try
                {
                    File.Move(partial, path);
                    return path;
                }
                catch (IOException) when (Path.Exists(path))
                {
                    // Somebody else was faster.
                }
            }

            throw new UnreachableException();
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(folder, error);
        }
        finally
        {
            Discard(partial);
        }
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            // What went wrong before is what is told.
        }
    }

    private static async Task<ImageCheckResult> CheckAsync(string path, CancellationToken stop)
    {
        try
        {
            return await ImageCheck.CheckFileAsync(path, null, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(path, error);
        }
    }
}
