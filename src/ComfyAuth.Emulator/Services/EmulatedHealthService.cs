using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Services;

/// <summary>A service without a login that answers on one path only: <c>/health</c>.</summary>
public sealed class EmulatedHealthService : EmulatedServer
{
    private EmulatedHealthService()
    {
    }

    /// <summary>The HTTP status of <c>/health</c>.</summary>
    public int Status { get; set; } = StatusCodes.Status200OK;

    /// <summary>Starts a service.</summary>
    /// <param name="stop">Gives up.</param>
    public static async Task<EmulatedHealthService> StartAsync(CancellationToken stop = default)
    {
        var service = new EmulatedHealthService();
        await service.ListenAsync(stop);
        return service;
    }

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/health") => context.WriteJsonAsync(new JsonObject { ["status"] = Status == StatusCodes.Status200OK ? "healthy" : "unhealthy" }, Status),
        (_, "/health") => context.WriteJsonAsync(new JsonObject { ["detail"] = "Method Not Allowed" }, StatusCodes.Status405MethodNotAllowed),
        _ => context.WriteJsonAsync(new JsonObject { ["detail"] = "Not Found" }, StatusCodes.Status404NotFound),
    };
}
