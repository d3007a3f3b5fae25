using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>A stand-in for ComfyUI, with the ComfyUI-Login node or without it, as far as its login is concerned.</summary>
public sealed class EmulatedComfyUI : EmulatedServer
{
    private readonly LoginNode? _login;
    private readonly OriginGate _origins;
    private readonly ComfyRoutes _routes;

    private EmulatedComfyUI(ComfyUIOptions options)
    {
        _login = options.PasswordFile is { } file ? new(file, options.CorsOrigin) : null;
        _origins = new(options.CorsOrigin);
        _routes = new(options);
    }

    /// <summary>Starts a server. Like the real one it reads the password file now, and then no more.</summary>
    /// <param name="options">How it is installed and started; null: without a login.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<EmulatedComfyUI> StartAsync(ComfyUIOptions? options = null, CancellationToken stop = default)
    {
        var server = new EmulatedComfyUI(options ?? new());
        await server.ListenAsync(stop);
        return server;
    }

    /// <summary>
    /// Starts the program again on the same port: it reads the password file anew. Who has a session keeps it, as the key of
    /// the sessions lies in a file of the node.
    /// </summary>
    public void Restart() => _login?.Load();

    /// <inheritdoc/>
    protected override async Task AnswerAsync(HttpContext context)
    {
        // From the outside in, as the real server asks.
        if (_origins.Refuses(context))
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        else if (HttpMethods.IsOptions(context.Request.Method))
            context.Response.ContentLength = 0;
        else if (_login is null || !await _login.AnswerAsync(context))
            await _routes.AnswerAsync(context);
    }
}
