using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What the frontend keeps on the server for its user, such as workflows and settings.</summary>
internal sealed class UserFiles
{
    private readonly ConcurrentDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    /// <summary>Answers a request for a file.</summary>
    public Task AnswerAsync(HttpContext context, string method, string name) => method switch
    {
        "GET" => ReadAsync(context, name),
        "POST" => WriteAsync(context, name),
        "DELETE" => SayAsync(context, _files.TryRemove(name, out _) ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound),
        _ => RefuseAsync(context),
    };

    /// <summary>Moves a file.</summary>
    public Task MoveAsync(HttpContext context, string from, string to)
    {
        if (!_files.TryRemove(from, out var content))
            return SayAsync(context, StatusCodes.Status404NotFound);
        _files[to] = content;
        return context.WriteJsonAsync(JsonValue.Create(to));
    }

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.Allow = "DELETE,GET,HEAD,POST";
        return context.WriteTextAsync("405: Method Not Allowed", StatusCodes.Status405MethodNotAllowed);
    }

    private static Task SayAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private async Task ReadAsync(HttpContext context, string name)
    {
        if (!_files.TryGetValue(name, out var content))
        {
            await SayAsync(context, StatusCodes.Status404NotFound);
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }

    private async Task WriteAsync(HttpContext context, string name)
    {
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content, context.RequestAborted);
        _files[name] = content.ToArray();
        await context.WriteJsonAsync(JsonValue.Create(name));
    }
}
