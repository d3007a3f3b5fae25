using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ComfyAuth.Comfy;

/// <content>Prompts, the queue, and files.</content>
public sealed partial class ComfyClient
{
    private const long LargestFile = 2L * 1024 * 1024 * 1024;
    private const int LongestId = 200;

    /// <summary>Puts a workflow into the queue; <see cref="FollowAsync"/> tells what becomes of it.</summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="stop">Gives up; the server may have taken it all the same.</param>
    /// <exception cref="ComfyWorkflowException"><c>WorkflowRefused</c>: the server says what is wrong with which node.</exception>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public Task<ComfyPrompt> SubmitAsync(ComfyWorkflow workflow, CancellationToken stop) => SubmitAsync(workflow, Guid.NewGuid().ToString("N"), stop);

    /// <summary>What became of a prompt.</summary>
    /// <param name="promptId">The prompt.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Its history; null while it waits or runs, and of one that the server does not know, such as any from before its restart.</returns>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public async Task<PromptHistory?> HistoryAsync(string promptId, CancellationToken stop)
    {
        ArgumentException.ThrowIfNullOrEmpty(promptId);
        return (await GetAsync(
            $"history/{Uri.EscapeDataString(promptId)}",
            LargestAnswer,
            answer => answer.ValueKind == JsonValueKind.Object ? new Found<PromptHistory>(PromptHistory.Read(answer, promptId, _redactor)) : null,
            stop).ConfigureAwait(false)).Value;
    }

    /// <summary>What runs, and what waits.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public Task<ComfyQueue> QueueAsync(CancellationToken stop) => GetAsync(
        "queue",
        LargestAnswer,
        answer => answer.Member("queue_running").ValueKind == JsonValueKind.Array && answer.Member("queue_pending").ValueKind == JsonValueKind.Array
            ? new ComfyQueue([.. Ids(answer, "queue_running").Select(item => item.Id)], [.. Ids(answer, "queue_pending").OrderBy(item => item.Number).Select(item => item.Id)])
            : null,
        stop);

    /// <summary>Stops what runs, whosever it is; see <see cref="CancelAsync"/>.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public Task InterruptAsync(CancellationToken stop) => PostAsync("interrupt", [], stop);

    /// <summary>Takes one prompt out of the queue, or stops it where it runs; those of others are left alone.</summary>
    /// <param name="promptId">The prompt.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public async Task<bool> CancelAsync(string promptId, CancellationToken stop)
    {
        ArgumentException.ThrowIfNullOrEmpty(promptId);
        var queue = await QueueAsync(stop).ConfigureAwait(false);
        var wasPending = queue.Pending.Contains(promptId, StringComparer.Ordinal);
        if (wasPending)
        {
            await PostAsync("queue", new() { ["delete"] = new JsonArray(promptId) }, stop).ConfigureAwait(false);

            // It may have begun meanwhile.
            queue = await QueueAsync(stop).ConfigureAwait(false);
        }

        if (!queue.Running.Contains(promptId, StringComparer.Ordinal))
            return wasPending;

        // Newer versions compare the id themselves; older ones stop what runs.
        await PostAsync("interrupt", new() { ["prompt_id"] = promptId }, stop).ConfigureAwait(false);
        return true;
    }

    /// <summary>Asks the server to give memory back, once it has nothing to run.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public Task FreeAsync(CancellationToken stop) => PostAsync("free", new() { ["unload_models"] = true, ["free_memory"] = true }, stop);

    /// <summary>Copies a file of the server.</summary>
    /// <param name="file">The file.</param>
    /// <param name="to">Where it is copied to; may have got a part of it when there is an error.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>ServiceFileMissing</c>; or as for <see cref="SystemStatsAsync"/>.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task ViewAsync(ComfyFile file, Stream to, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(to);
        var path = $"view?filename={Uri.EscapeDataString(file.Name)}&subfolder={Uri.EscapeDataString(file.Subfolder)}&type={Uri.EscapeDataString(file.Type)}";
        try
        {
            await SendAsync(
                HttpMethod.Get,
                path,
                null,
                async (response, deadline, token) =>
                {
                    if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.Forbidden)
                    {
                        throw new ComfyAuthException(
                            "ServiceFileMissing",
                            $"The service at {Address} does not give out its file '{Shown(file.Name)}' (status {(int)response.StatusCode}).",
                            "A result that was there already names its old file, which somebody may have deleted: change the seed, or another input, to have it made anew.");
                    }

                    if (!response.IsSuccessStatusCode)
                        throw Failed(await ReadAsync(response, path, LargestSmallAnswer, token).ConfigureAwait(false));

                    // However long it takes, as long as something comes.
                    await CopyAsync(response, path, to, LargestFile, () => deadline.CancelAfter(Timeout), token).ConfigureAwait(false);
                    return true;
                },
                stop).ConfigureAwait(false);
        }
        catch (DestinationException error)
        {
            throw error.InnerException!;
        }
    }

    /// <summary>Gives the server a picture to load.</summary>
    /// <param name="name">What to call it there; one of that name is replaced.</param>
    /// <param name="image">Its bytes.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What the server calls it.</returns>
    /// <exception cref="ComfyAuthException"><c>UploadRefused</c>; or as for <see cref="SystemStatsAsync"/>.</exception>
    public async Task<ComfyFile> UploadImageAsync(string name, ReadOnlyMemory<byte> image, CancellationToken stop)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var answer = await AskAsync(HttpMethod.Post, "upload/image", Form, LargestSmallAnswer, stop).ConfigureAwait(false);
        if (answer.Status is 400 or 413)
        {
            throw new ComfyAuthException(
                "UploadRefused",
                $"The service at {Address} does not take the picture '{Shown(name)}' of {ByteSize.Format(image.Length)} (status {answer.Status}).",
                answer.Status == 413 ? "Make it smaller, or start ComfyUI with a larger --max-upload-size." : "Check that it is a picture.");
        }

        return answer.IsFine
            ? Read(answer, root => root.Text("name") is { Length: > 0 } stored ? new ComfyFile(stored, root.Text("subfolder") ?? "", root.Text("type") ?? "input") : null)
            : throw Failed(answer);

        MultipartFormDataContent Form()
        {
            var form = new MultipartFormDataContent();
            Add(new ByteArrayContent(image.ToArray()), "image", name);
            Add(new StringContent("input"), "type");
            Add(new StringContent("true"), "overwrite");
            return form;

            // In quotes, and in ASCII: servers differ in what else they read.
            void Add(HttpContent part, string field, string? fileName = null)
            {
                part.Headers.ContentType = fileName is null ? null : new MediaTypeHeaderValue("application/octet-stream");
                part.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; name=\"{field}\"{(fileName is null ? "" : $"; filename=\"{FileNames.Ascii(fileName)}\"")}");
                form.Add(part);
            }
        }
    }

    internal async Task<ComfyPrompt> SubmitAsync(ComfyWorkflow workflow, string clientId, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        var body = new JsonObject { ["prompt"] = workflow.ToJson(), ["client_id"] = clientId };
        var answer = await AskAsync(HttpMethod.Post, "prompt", () => JsonBody(body), LargestSmallAnswer * 4, stop).ConfigureAwait(false);
        if (answer.IsFine)
        {
            return Read(answer, root => root.Text("prompt_id") is { Length: > 0 and <= LongestId } id && Shown(id) == id
                ? new ComfyPrompt { Id = id, ClientId = clientId, Number = root.Number("number"), Warnings = NodeErrors(root, workflow) }
                : null);
        }

        throw answer.Status == 400 ? Refused(answer, workflow) : Failed(answer);
    }

    private static StringContent JsonBody(JsonObject body) => new(body.ToJsonString(), Encoding.UTF8, "application/json");

    private async Task PostAsync(string path, JsonObject body, CancellationToken stop)
    {
        var answer = await AskAsync(HttpMethod.Post, path, () => JsonBody(body), LargestSmallAnswer, stop).ConfigureAwait(false);
        if (!answer.IsFine)
            throw Failed(answer);
    }

    /// <summary>Items are <c>[number, id, prompt, extra, outputs]</c>.</summary>
    private static IEnumerable<(double Number, string Id)> Ids(JsonElement answer, string name) =>
        from item in answer.Member(name).Items()
        let parts = item.Items().Take(2).ToList()
        where parts.Count == 2 && parts[1].ValueKind == JsonValueKind.String
        select (parts[0].ValueKind == JsonValueKind.Number && parts[0].TryGetDouble(out var number) ? number : 0, parts[1].GetString()!);

    /// <summary>Reads a refusal: <c>error</c> is a text or an object, <c>node_errors</c> an object, or an empty array.</summary>
    private ComfyWorkflowException Refused(Answer answer, ComfyWorkflow workflow)
    {
        var (problem, problems) = Read(answer, root =>
        {
            var error = root.Member("error");
            var extra = error.Member("extra_info");
            var (message, details) = (Shown(error.ValueKind == JsonValueKind.String ? error.GetString() : error.Text("message")) ?? "", Shown(error.Text("details")) ?? "");
            if (root.ValueKind != JsonValueKind.Object || error.ValueKind is not (JsonValueKind.String or JsonValueKind.Object))
                return null;

            var nodeId = Shown(extra.Member("node_id").AsText()) ?? "";
            return Tuple.Create(
                new ComfyWorkflowProblem
                {
                    NodeId = nodeId,
                    NodeClass = Shown(extra.Text("class_type")) ?? Class(workflow, nodeId),
                    Reason = Reason(message.Length == 0 ? Shown(error.Text("type")) ?? "" : message, details),
                },
                NodeErrors(root, workflow));
        });
        return new(
            "WorkflowRefused",
            $"The service at {Address} refuses {workflow.Name}",
            "Open it in ComfyUI, mend what is named, and export it again.",
            problems.Count > 0 ? problems : [problem]);
    }

    private List<ComfyWorkflowProblem> NodeErrors(JsonElement root, ComfyWorkflow workflow) =>
    [
        .. from node in root.Member("node_errors").Members()
           let id = Shown(node.Name) ?? ""
           let nodeClass = Shown(node.Value.Text("class_type")) ?? Class(workflow, node.Name)
           from error in node.Value.Member("errors").Items().DefaultIfEmpty()
           select new ComfyWorkflowProblem
           {
               NodeId = id,
               NodeClass = nodeClass,
               Input = Shown(error.Member("extra_info").Text("input_name")) ?? "",
               Reason = Reason(Shown(error.Text("message")) ?? Shown(error.Text("type")) ?? "", Shown(error.Text("details")) ?? ""),
           },
    ];

    private static string Class(ComfyWorkflow workflow, string id) => workflow.Nodes.FirstOrDefault(node => node.Id == id)?.Class ?? "";

    private static string Reason(string message, string details)
    {
        message = message.TrimEnd('.', ' ');
        return details.Length == 0 || message.Contains(details, StringComparison.Ordinal) ? (message.Length == 0 ? "the server does not say why" : message) : message.Length == 0 ? details : $"{message} ({details})";
    }

    /// <summary>Something, or nothing, that was looked for in an answer.</summary>
    private sealed record Found<T>(T? Value);
}
