using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What ComfyUI answers to those who are let in.</summary>
internal sealed class ComfyRoutes(ComfyUIOptions options)
{
    private const long MainMemory = 64L << 30;

    public Task AnswerAsync(HttpContext context) => (Method(context), context.Request.Path.Value) switch
    {
        ("GET", "/") => context.WriteTextAsync("<!DOCTYPE html><html><head><title>ComfyUI</title></head><body></body></html>\n", contentType: "text/html"),
        ("GET", "/system_stats") => context.WriteJsonAsync(SystemStats(), contentType: "application/json; charset=utf-8"),
        (_, "/" or "/system_stats") => context.WriteTextAsync("405: Method Not Allowed", StatusCodes.Status405MethodNotAllowed),
        _ => context.WriteTextAsync("404: Not Found", StatusCodes.Status404NotFound),
    };

    /// <summary>HEAD is GET without a body.</summary>
    private static string Method(HttpContext context) => HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;

    private JsonObject SystemStats() => new()
    {
        ["system"] = new JsonObject
        {
            ["os"] = "posix",
            ["ram_total"] = MainMemory,
            ["ram_free"] = MainMemory / 2,
            ["comfyui_version"] = options.Version,
            ["python_version"] = "3.11.9 (main) [GCC 12.2.0]",
            ["pytorch_version"] = "2.5.1+cu121",
            ["embedded_python"] = false,
            ["argv"] = new JsonArray("main.py", "--listen", "0.0.0.0", "--port", "8188"),
        },
        ["devices"] = new JsonArray(new JsonObject
        {
            ["name"] = "cuda:0 Emulated GPU : cudaMallocAsync",
            ["type"] = "cuda",
            ["index"] = 0,
            ["vram_total"] = options.GpuMemory,
            ["vram_free"] = options.GpuMemory / 2,
            ["torch_vram_total"] = 0,
            ["torch_vram_free"] = 0,
        }),
    };
}
