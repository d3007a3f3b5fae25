using System.Text.Json;
using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>
/// Speaks with one ComfyUI, with or without ComfyUI-Login before it. The credential is sent to its address only, in a header;
/// redirects are not followed. Every answer is taken for what it may be: bounded in size and depth, of any shape, its texts
/// shown without secrets. Safe for concurrent use.
/// </summary>
public sealed partial class ComfyClient : IDisposable, IAsyncDisposable
{
    private const int LargestAnswer = 64 * 1024 * 1024;
    private const int LargestSmallAnswer = 1024 * 1024;

    private readonly CancellationTokenSource _closed = new();
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;
    private readonly ComfyCredential _credential;
    private readonly SecretRedactor _redactor;
    private readonly SemaphoreSlim _loggingIn = new(1, 1);
    private string? _session;

    /// <summary>Makes a client; nothing is asked yet.</summary>
    /// <param name="address">Where ComfyUI is reached, such as <c>http://localhost:8188</c>.</param>
    /// <param name="credential">How it proves who it is; null: it does not.</param>
    /// <param name="redactor">Learns the credential, and takes secrets out of what the server says; null for one of its own.</param>
    /// <exception cref="ComfyAuthException"><c>ServiceAddressInvalid</c>.</exception>
    public ComfyClient(Uri address, ComfyCredential? credential = null, SecretRedactor? redactor = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ComfyAuthException("ServiceAddressInvalid", "The address of the service is no http or https address.", "Give one like http://localhost:8188.");
        if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            // What stands there may be a secret.
            throw new ComfyAuthException(
                "ServiceAddressInvalid",
                $"The address of the service at {address.Authority} holds more than host, port and path.",
                "Give it without user name, '?' and '#'; the token goes into a header.");
        }

        Address = new(address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/') + "/");
        _credential = credential ?? ComfyCredential.None;
        _redactor = redactor ?? new();
        if (_credential.Token is { } token)
            _redactor.Register(token);
        if (_credential.Password is { } password)
            _redactor.Register(password);
        _handler = ServiceHttp.Handler(_closed.Token);
        _http = new(_handler, disposeHandler: true) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    /// <summary>Where ComfyUI is reached; ends in a slash and holds no secret.</summary>
    public Uri Address { get; }

    /// <summary>How long one question may take; of a file, how long the next part of it may.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What the machine and its devices are, and how much of their memory is free.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceUnreachable</c>, <c>ServiceTimedOut</c>, <c>ServiceWantsToken</c>, <c>ServiceRefusedToken</c>, <c>ServiceFailed</c> or
    /// <c>ServiceAnswerInvalid</c>; with a session, <c>ServiceRefusedPassword</c> or <c>ServiceHasNoPassword</c>.
    /// </exception>
    public Task<ComfySystem> SystemStatsAsync(CancellationToken stop) => GetAsync("system_stats", LargestSmallAnswer, ReadSystem, stop);

    /// <summary>All classes of nodes; some hundred kilobytes, and more with many custom nodes.</summary>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public Task<ComfyObjectInfo> ObjectInfoAsync(CancellationToken stop) =>
        GetAsync("object_info", LargestAnswer, answer => answer.ValueKind == JsonValueKind.Object ? ComfyObjectInfo.Read(answer) : null, stop);

    /// <summary>One class of nodes.</summary>
    /// <param name="nodeClass">Its name, in the server's letter case.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The class; null when the server does not know it.</returns>
    /// <exception cref="ComfyAuthException">As for <see cref="SystemStatsAsync"/>.</exception>
    public async Task<ComfyNodeClass?> ObjectInfoAsync(string nodeClass, CancellationToken stop)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeClass);
        var info = await GetAsync(
            $"object_info/{Uri.EscapeDataString(nodeClass)}", LargestAnswer, answer => answer.ValueKind == JsonValueKind.Object ? ComfyObjectInfo.Read(answer) : null, stop).ConfigureAwait(false);
        return info.Classes.GetValueOrDefault(nodeClass);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_closed.IsCancellationRequested)
            _closed.Cancel();
        _http.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private ComfySystem? ReadSystem(JsonElement answer)
    {
        var system = answer.Member("system");
        if (system.ValueKind != JsonValueKind.Object)
            return null;

        return new()
        {
            OperatingSystem = Shown(system.Text("os")),
            ComfyUIVersion = Shown(system.Text("comfyui_version")),
            PythonVersion = Shown(system.Text("python_version")),
            PyTorchVersion = Shown(system.Text("pytorch_version")),
            MemoryTotal = system.Size("ram_total"),
            MemoryFree = system.Size("ram_free"),
            Arguments = [.. system.Member("argv").Items().Select(argument => Shown(argument.AsText())).OfType<string>()],
            Devices =
            [
                .. answer.Member("devices").Items().Where(device => device.ValueKind == JsonValueKind.Object).Select(device => new ComfyDevice
                {
                    Name = Shown(device.Text("name")) ?? "",
                    Type = Shown(device.Text("type")) ?? "",
                    Index = device.Size("index") is <= int.MaxValue and var index ? (int)index : null,
                    VramTotal = device.Size("vram_total"),
                    VramFree = device.Size("vram_free"),
                    TorchVramTotal = device.Size("torch_vram_total"),
                    TorchVramFree = device.Size("torch_vram_free"),
                }),
            ],
        };
    }
}
