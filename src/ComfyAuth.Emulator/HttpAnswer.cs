using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Faults;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator;

/// <summary>Writes answers. JSON is written as nodes, which look like what they become and need no reflection.</summary>
internal static class HttpAnswer
{
    public static Task WriteJsonAsync(this HttpContext context, JsonNode body, int status = StatusCodes.Status200OK, string contentType = "application/json") =>
        context.WriteTextAsync(context.Distort(body), status, contentType);

    public static async Task WriteTextAsync(this HttpContext context, string body, int status = StatusCodes.Status200OK, string contentType = "text/plain; charset=utf-8")
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>The text of a JSON answer, with another shape if the fault of the request says so.</summary>
    public static string Distort(this HttpContext context, JsonNode body) =>
        context.Features.Get<Fault>() is { DistortionSeed: { } seed } ? JsonDistortion.Of(body, new Random(seed)) : body.ToJsonString();
}
