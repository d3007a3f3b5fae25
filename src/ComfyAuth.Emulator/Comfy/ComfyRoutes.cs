using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What ComfyUI answers to those who are let in.</summary>
internal sealed class ComfyRoutes(ComfyUIOptions options, ImageFolders folders)
{
    private const long MainMemory = 64L << 30;
    private const long LargestUpload = 100L << 20;

    private readonly NodeCatalog _catalog = new(options, folders);
    private readonly UserFiles _userFiles = new();

    /// <summary>The classes of nodes that there are.</summary>
    public IReadOnlyCollection<string> NodeClasses => _catalog.Classes;

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request and its answer.</param>
    /// <param name="run">The program.</param>
    public async Task AnswerAsync(HttpContext context, ComfyRun run)
    {
        // Everything can be had below /api too.
        var path = context.Request.Path.Value ?? "";
        var segments = (path.StartsWith("/api/", StringComparison.Ordinal) ? path[4..] : path)[1..].Split('/');
        try
        {
            await AnswerAsync(context, run, HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method, segments);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or InvalidDataException && !context.Response.HasStarted)
        {
            await context.WriteTextAsync("500 Internal Server Error\n\nServer got itself in trouble", StatusCodes.Status500InternalServerError);
        }
    }

    private Task AnswerAsync(HttpContext context, ComfyRun run, string method, string[] segments) => (method, segments) switch
    {
        ("GET", [""]) => context.WriteTextAsync("<!DOCTYPE html><html><head><title>ComfyUI</title></head><body></body></html>\n", contentType: "text/html"),
        ("GET", ["system_stats"]) => SayAsync(context, SystemStats()),
        ("GET", ["object_info"]) => SayAsync(context, _catalog.Describe()),
        ("GET", ["object_info", var name]) => SayAsync(context, _catalog.Describe(name)),
        ("GET", ["prompt"]) => SayAsync(context, run.Status),
        ("POST", ["prompt"]) => SubmitAsync(context, run),
        ("GET", ["queue"]) => SayAsync(context, run.Queue.Describe()),
        ("POST", ["queue"]) => RemoveAsync(context, run.Queue.Remove),
        ("GET", ["history"]) => SayAsync(context, run.Queue.History(Number(context, "max_items"), options.IsRecent ? Number(context, "offset") : null)),
        ("GET", ["history", var id]) => SayAsync(context, run.Queue.History(id)),
        ("POST", ["history"]) => RemoveAsync(context, run.Queue.Forget),
        ("POST", ["interrupt"]) => InterruptAsync(context, run),
        ("POST", ["free"]) => FreeAsync(context, run),
        ("GET", ["view"]) => ViewAsync(context),
        ("POST", ["upload", "image"]) => UploadAsync(context),
        ("GET", ["ws"]) => ListenAsync(context, run),
        (_, ["userdata", var name]) => _userFiles.AnswerAsync(context, method, Uri.UnescapeDataString(name)),
        ("POST", ["userdata", var from, "move", var to]) => _userFiles.MoveAsync(context, Uri.UnescapeDataString(from), Uri.UnescapeDataString(to)),
        (_, ["" or "system_stats" or "object_info" or "prompt" or "queue" or "history" or "interrupt" or "free" or "view" or "ws"] or ["object_info" or "history", _] or ["upload", "image"]) =>
            context.WriteTextAsync("405: Method Not Allowed", StatusCodes.Status405MethodNotAllowed),
        _ => context.WriteTextAsync("404: Not Found", StatusCodes.Status404NotFound),
    };

    private static Task SayAsync(HttpContext context, JsonNode body, int status = StatusCodes.Status200OK) =>
        context.WriteJsonAsync(body, status, "application/json; charset=utf-8");

    private static Task SayNothingAsync(HttpContext context, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private static async Task<JsonNode?> BodyAsync(HttpContext context) => await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);

    private static int? Number(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out var text) ? int.Parse(text.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : null;

    private static bool IsSet(JsonNode? value) => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Object;

    private async Task SubmitAsync(HttpContext context, ComfyRun run)
    {
        // A list or a text holds no prompt; anything else that is no object makes the real one stumble.
        var body = await BodyAsync(context) switch
        {
            JsonObject map => map,
            JsonArray => [],
            { } value when value.GetValueKind() == JsonValueKind.String => [],
            _ => throw new FormatException("The body is nothing that can be looked into."),
        };
        if (!body.TryGetPropertyValue("prompt", out var prompt))
        {
            await SayAsync(context, NoPrompt(), StatusCodes.Status400BadRequest);
            return;
        }

        var number = body["number"] is { } given ? double.Parse(given.ToString(), CultureInfo.InvariantCulture) : run.Queue.NextNumber(IsSet(body["front"]));
        var verdict = new PromptValidator(_catalog, folders, options.IsRecent).Validate(prompt);
        if (verdict.Error is { } error)
        {
            await SayAsync(context, new JsonObject { ["error"] = error, ["node_errors"] = verdict.NodeErrors }, StatusCodes.Status400BadRequest);
            return;
        }

        var extra = body["extra_data"]?.DeepClone().AsObject() ?? [];
        if (body["client_id"] is { } client)
            extra["client_id"] = client.DeepClone();
        var id = options.IsRecent && body["prompt_id"] is { } chosen ? chosen.ToString() : Guid.NewGuid().ToString();
        run.Queue.Add(new(number, id, prompt!.DeepClone().AsObject(), extra, verdict.Outputs));
        await SayAsync(context, new JsonObject { ["prompt_id"] = id, ["number"] = number, ["node_errors"] = verdict.NodeErrors });
    }

    private JsonObject NoPrompt() => options.IsRecent
        ? new()
        {
            ["error"] = new JsonObject { ["type"] = "no_prompt", ["message"] = "No prompt provided", ["details"] = "No prompt provided", ["extra_info"] = new JsonObject() },
            ["node_errors"] = new JsonObject(),
        }
        : new() { ["error"] = "no prompt", ["node_errors"] = new JsonArray() };

    /// <summary>Removes all of something, or those whose ids are given.</summary>
    private static async Task RemoveAsync(HttpContext context, Action<IReadOnlyCollection<string>?> remove)
    {
        var body = (await BodyAsync(context))?.AsObject() ?? throw new FormatException("The body is null.");
        if (IsSet(body["clear"]))
            remove(null);
        if (body["delete"] is { } ids)
            remove([.. ids.AsArray().Select(id => id?.ToString() ?? "")]);
        await SayNothingAsync(context);
    }

    private async Task InterruptAsync(HttpContext context, ComfyRun run)
    {
        JsonNode? body = null;
        try
        {
            // Only since 0.3.64 or so is there a body; one that is none is taken for an empty one.
            if (options.IsRecent)
                body = await BodyAsync(context);
        }
        catch (JsonException)
        {
        }

        run.Queue.Interrupt((body as JsonObject)?["prompt_id"]?.ToString());
        await SayNothingAsync(context);
    }

    private static async Task FreeAsync(HttpContext context, ComfyRun run)
    {
        var body = (await BodyAsync(context))?.AsObject() ?? throw new FormatException("The body is null.");
        if (IsSet(body["free_memory"]))
            run.Free();
        await SayNothingAsync(context);
    }

    private async Task ViewAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!query.TryGetValue("filename", out var names))
        {
            await SayNothingAsync(context, StatusCodes.Status404NotFound);
            return;
        }

        var name = names.ToString();
        var folder = folders.Of(query.TryGetValue("type", out var type) ? type.ToString() : "output");
        if (name.Length == 0 || name[0] == '/' || name.Contains("..", StringComparison.Ordinal) || folder is null)
        {
            await SayNothingAsync(context, StatusCodes.Status400BadRequest);
            return;
        }

        var subfolder = query["subfolder"].ToString();
        if ((name + subfolder).Contains('\0'))
            throw new FormatException("A NUL is in no path.");
        if (ImageFolders.Below(folder, subfolder) is not { } place)
        {
            await SayNothingAsync(context, StatusCodes.Status403Forbidden);
            return;
        }

        byte[] content;
        try
        {
            content = await File.ReadAllBytesAsync(Path.Combine(place, Path.GetFileName(name)), context.RequestAborted);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await SayNothingAsync(context, StatusCodes.Status404NotFound);
            return;
        }

        context.Response.ContentType = Path.GetExtension(name).ToUpperInvariant() switch { ".PNG" => "image/png", ".JPG" or ".JPEG" => "image/jpeg", ".WEBP" => "image/webp", _ => "application/octet-stream" };
        context.Response.ContentLength = content.Length;
        context.Response.Headers.ContentDisposition = $"filename=\"{Uri.EscapeDataString(Path.GetFileName(name))}\"";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }

    private async Task UploadAsync(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = LargestUpload;
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        if (form.Files["image"] is not { } image || image.FileName.Length == 0)
        {
            await SayNothingAsync(context, StatusCodes.Status400BadRequest);
            return;
        }

        var type = form.TryGetValue("type", out var types) ? types.ToString() : "input";
        var root = folders.Of(type) ?? throw new FormatException("There is no such type.");
        var subfolder = form["subfolder"].ToString();
        if ((image.FileName + subfolder).Contains('\0'))
            throw new FormatException("A NUL is in no path.");
        if (ImageFolders.Below(root, subfolder, image.FileName) is not { } file || file == root)
        {
            await SayNothingAsync(context, StatusCodes.Status400BadRequest);
            return;
        }

        using var content = new MemoryStream();
        await image.CopyToAsync(content, context.RequestAborted);
        var name = await folders.SaveAsync(file, image.FileName, content.ToArray(), form["overwrite"].ToString() is "true" or "1", context.RequestAborted);
        await SayAsync(context, new JsonObject { ["name"] = name, ["subfolder"] = subfolder, ["type"] = type });
    }

    private static async Task ListenAsync(HttpContext context, ComfyRun run)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await context.WriteTextAsync("No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".", StatusCodes.Status400BadRequest);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, run.Stopping);
        await run.Clients.ServeAsync(context.WebSockets.AcceptWebSocketAsync, context.Request.Query["clientId"].ToString(), run.Status, stop.Token);
    }

    private JsonObject SystemStats()
    {
        var system = new JsonObject
        {
            ["os"] = "posix",
            ["ram_total"] = MainMemory,
            ["ram_free"] = MainMemory / 2,
            ["comfyui_version"] = options.Version,
            ["python_version"] = "3.11.9 (main) [GCC 12.2.0]",
            ["pytorch_version"] = options.GpuMemory is null ? "2.5.1+cpu" : "2.5.1+cu121",
            ["embedded_python"] = false,
            ["argv"] = new JsonArray("main.py", "--listen", "0.0.0.0", "--port", "8188"),
        };
        if (options.IsRecent)
        {
            system["required_frontend_version"] = "1.27.10";
            system["installed_templates_version"] = "0.1.94";
            system["required_templates_version"] = "0.1.94";
        }

        // On the CPU there is no index, and its memory is the main one.
        var total = options.GpuMemory ?? MainMemory;
        return new()
        {
            ["system"] = system,
            ["devices"] = new JsonArray(new JsonObject
            {
                ["name"] = options.GpuMemory is null ? "cpu" : "cuda:0 Emulated GPU : cudaMallocAsync",
                ["type"] = options.GpuMemory is null ? "cpu" : "cuda",
                ["index"] = options.GpuMemory is null ? null : 0,
                ["vram_total"] = total,
                ["vram_free"] = options.FreeGpuMemory ?? total / 2,
                ["torch_vram_total"] = options.GpuMemory is null ? MainMemory : 0,
                ["torch_vram_free"] = options.GpuMemory is null ? MainMemory / 2 : 0,
            }),
        };
    }
}
