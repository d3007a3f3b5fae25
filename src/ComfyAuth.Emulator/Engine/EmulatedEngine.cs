using System.Text;
using ComfyAuth.Docker;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>
/// A stand-in for a Docker Engine 20.10 (API 1.41): it tells of containers that are only descriptions, and changes their
/// state when it is asked to. No process runs anywhere.
/// </summary>
public sealed class EmulatedEngine : EmulatedServer
{
    private const string SocketName = "engine.sock";

    // Of a socket's path, with the byte that ends it: 108 bytes on Linux and Windows, 104 on macOS.
    private const int LongestSocketPath = 103;

    private readonly EngineState _state;
    private readonly EngineStock _stock;
    private readonly EngineApi _api;
    private readonly string? _folder;

    private EmulatedEngine(TimeProvider clock, string? folder)
        : base(tcp: folder is null, folder is null ? null : Path.Combine(folder, SocketName))
    {
        _folder = folder;
        _state = new(clock);
        _stock = new(_state);
        _api = new(_state, _stock, Closing);
    }

    /// <summary>Where it listens.</summary>
    public DockerEndpoint Endpoint => _folder is null
        ? DockerEndpoint.Parse($"tcp://127.0.0.1:{Address.Port}", "the emulator")
        : DockerEndpoint.Parse($"unix://{_folder}/{SocketName}", "the emulator");

    /// <summary>
    /// Is told of each start and restart that the engine is asked for, before it answers: here a program can be started that the
    /// container stands for. May be changed at any time.
    /// </summary>
    public Action<EmulatedContainer>? Starting
    {
        get => _state.Starting;
        set => _state.Starting = value;
    }

    /// <summary>
    /// Stands for the programs that are run in containers (exec): is given each, and gives how it ended; null: none can be run. May be
    /// changed at any time.
    /// </summary>
    public Func<EmulatedProgram, EmulatedExit>? Executing
    {
        get => _state.Executing;
        set => _state.Executing = value;
    }

    /// <summary>
    /// Is told of each container that ran and does not any more, however it ended, before the engine answers: here the program that it
    /// stands for can be ended. May be changed at any time.
    /// </summary>
    public Action<EmulatedContainer>? Ended
    {
        get => _state.Ended;
        set => _state.Ended = value;
    }

    /// <summary>The names of its images.</summary>
    public IReadOnlyList<string> Images => _stock.Images;

    /// <summary>The names of its networks, without those that each engine has.</summary>
    public IReadOnlyList<string> Networks => _stock.Networks;

    /// <summary>The names of its volumes.</summary>
    public IReadOnlyList<string> Volumes => _stock.Volumes;

    /// <summary>Its containers as they are now.</summary>
    public IReadOnlyList<EmulatedContainer> Containers => _state.Containers;

    /// <summary>Starts an engine.</summary>
    /// <param name="containers">Its containers.</param>
    /// <param name="overTcp">
    /// Whether it listens on a port of 127.0.0.1, which every user of the machine can reach; else on a Unix socket in a new
    /// folder that only this user can enter, unless that folder's path is too long for a socket.
    /// </param>
    /// <param name="clock">What time it is for it; null: the system's.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<EmulatedEngine> StartAsync(IEnumerable<EmulatedContainer> containers, bool overTcp = false, TimeProvider? clock = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(containers);

        var folder = overTcp ? null : Directory.CreateTempSubdirectory("comfyauth-").FullName;
        if (folder is not null && Encoding.UTF8.GetByteCount(Path.Combine(folder, SocketName)) > LongestSocketPath)
        {
            Directory.Delete(folder);
            folder = null;
        }

        var engine = new EmulatedEngine(clock ?? TimeProvider.System, folder);
        try
        {
            foreach (var container in containers)
                engine.Add(container);
            await engine.ListenAsync(stop);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a container.</summary>
    /// <param name="container">The container; no other has its name.</param>
    public void Add(EmulatedContainer container)
    {
        ArgumentNullException.ThrowIfNull(container);
        _state.Add(container);
    }

    /// <summary>Adds an image; nothing happens when it is there.</summary>
    /// <param name="name">Its name, with a tag.</param>
    public void AddImage(string name) => _stock.AddImage(name);

    /// <summary>Adds a network, or replaces it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="labels">Its labels; null for none.</param>
    public void AddNetwork(string name, IReadOnlyDictionary<string, string>? labels = null) => _stock.AddNetwork(name, labels ?? new Dictionary<string, string>());

    /// <summary>Adds a volume, or replaces it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="labels">Its labels; null for none.</param>
    public void AddVolume(string name, IReadOnlyDictionary<string, string>? labels = null) => _stock.AddVolume(name, labels ?? new Dictionary<string, string>());

    /// <summary>Removes a container; nothing happens when there is none.</summary>
    /// <param name="name">Its name.</param>
    public void Remove(string name) => _state.Remove(name);

    /// <summary>Changes a container.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="change">Gives what it becomes.</param>
    /// <param name="action">The event that the engine tells of it, such as <c>oom</c> or <c>health_status: healthy</c>; empty: none.</param>
    public void Change(string name, Func<EmulatedContainer, EmulatedContainer> change, string action = "")
    {
        ArgumentNullException.ThrowIfNull(change);
        _state.Change(name, container => (change(container), action.Length == 0 ? [] : [(action, "", "")]));
    }

    /// <summary>Adds a line to the log of a container, now.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="text">The line.</param>
    /// <param name="stream">Where it is written to.</param>
    public void Write(string name, string text, ContainerLogStream stream = ContainerLogStream.StandardOutput) =>
        Change(name, container => container with { Log = [.. container.Log, new(stream, _state.Now, text)] });

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context) => _api.AnswerAsync(context);

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await base.DisposeAsyncCore();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}
