using System.Net.Sockets;
using ComfyAuth.Emulator.Faults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>
/// A stand-in for ComfyUI, with the ComfyUI-Login node or without it. Its models are names only, but prompts run, and write
/// images.
/// </summary>
public sealed class EmulatedComfyUI : EmulatedServer
{
    private readonly LoginNode? _login;
    private readonly OriginGate _origins;
    private readonly ComfyRoutes _routes;
    private readonly ImageFolders _folders;
    private readonly ComfyUIOptions _options;
    private readonly WebSocketMiddleware _webSockets;
    private readonly ServerLog _log = new();
    private volatile ComfyRun _run;
    private Task _runsBefore = Task.CompletedTask;

    private EmulatedComfyUI(ComfyUIOptions options, ImageFolders folders)
        : base(port: options.Port)
    {
        (_options, _folders, Phase) = (options, folders, options.Phase);
        _login = options.PasswordFile is { } file ? new(file, options.CorsOrigin, _log) : null;
        _origins = new(options.CorsOrigin);
        _routes = new(options, folders);
        _webSockets = new(AnswerInsideAsync, Options.Create(new WebSocketOptions()), NullLoggerFactory.Instance);
        _run = NewRun();
    }

    /// <summary>The folder in which it has its folders <c>input</c>, <c>output</c> and <c>temp</c>.</summary>
    public string Folder => _folders.Root;

    /// <summary>
    /// What the program has written to its log since the first start. With ComfyUI-Login there is a line that holds the token,
    /// as in the logs of the real one.
    /// </summary>
    public IReadOnlyList<string> Log => _log.Lines;

    /// <summary>
    /// Chooses how a node of a prompt goes wrong, by its id and its class; null, and an answer of null: it does not. May be
    /// changed at any time.
    /// </summary>
    public Func<string, string, NodeFault?>? NodeFaults { get; set; }

    /// <summary>How far the program has started. May be changed at any time.</summary>
    public ComfyUIPhase Phase { get; set; }

    /// <summary>The classes of nodes that its version has.</summary>
    public IReadOnlyCollection<string> NodeClasses => _routes.NodeClasses;

    /// <summary>Starts a server. Like the real one it reads the password file now, and then no more.</summary>
    /// <param name="options">How it is installed and started; null: without a login.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ArgumentException">The version is none.</exception>
    /// <exception cref="IOException">The port is taken, or a folder cannot be made.</exception>
    public static async Task<EmulatedComfyUI> StartAsync(ComfyUIOptions? options = null, CancellationToken stop = default)
    {
        options ??= new();
        _ = options.IsRecent;
        var folders = new ImageFolders(options.Folder);
        var server = new EmulatedComfyUI(options, folders);
        try
        {
            await server.ListenAsync(stop);
            return server;
        }
        catch (SocketException error)
        {
            await server.DisposeAsync();
            throw new IOException($"Port {options.Port} of 127.0.0.1 cannot be listened on: {error.Message}", error);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Starts the program again on the same port: it reads the password file anew, what ran and waited is lost, and so is the
    /// history. Who has a session keeps it, as the key of the sessions lies in a file of the node.
    /// </summary>
    public void Restart()
    {
        var before = _run;
        _runsBefore = Task.WhenAll(_runsBefore, before.DisposeAsync().AsTask());
        _login?.Load();
        _run = NewRun();
    }

    /// <summary>
    /// Starts the program in a new container, with the folders and the password file mounted as before: as after
    /// <see cref="Restart"/>, and every session is gone.
    /// </summary>
    public void Recreate()
    {
        _login?.ForgetSessions();
        Restart();
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await base.DisposeAsyncCore();
        await _run.DisposeAsync();
        await _runsBefore;
        _folders.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (Phase != ComfyUIPhase.Listening)
        {
            context.Features.Get<FaultyOutput>()?.Lay(new() { CutAfter = 0, Reset = Phase == ComfyUIPhase.Resetting }, context.RequestAborted);
            context.Response.ContentLength = 0;
            return;
        }

        // From the outside in, as the real server asks.
        if (_origins.Refuses(context))
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        else if (HttpMethods.IsOptions(context.Request.Method))
            context.Response.ContentLength = 0;
        else if (_login is null || !await _login.AnswerAsync(context))
            await _webSockets.Invoke(context);
    }

    private Task AnswerInsideAsync(HttpContext context) => _routes.AnswerAsync(context, _run);

    private ComfyRun NewRun()
    {
        _log.Write("Starting server");
        _log.Write("To see the GUI go to: http://0.0.0.0:8188");
        return new(_options, _folders, (id, name) => NodeFaults?.Invoke(id, name));
    }
}
