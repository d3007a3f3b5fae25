using System.Net;
using System.Net.Sockets;
using System.Text;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Cli.Quickstart;

/// <summary>
/// What an installation needs of the world, emulated: an engine without containers, a hub with three small files in place of the models,
/// and a ComfyUI with its login that answers while its container runs.
/// </summary>
internal sealed class SampleInstallation : IAsyncDisposable
{
    private const int ModelBytes = 256 << 10;

    private readonly string _root;
    private EmulatedComfyUI? _server;

    private SampleInstallation(string root, EmulatedEngine engine, EmulatedHub hub)
    {
        (_root, Engine, Hub, Client) = (root, engine, hub, new(engine.Endpoint));
        Options = new() { Cpu = true, Port = FreePort(), ReportDirectory = Path.Combine(Path.GetDirectoryName(root)!, "reports") };
        engine.Starting = _ => Serve();
        engine.Ended = _ => EndServer();

        // Python, asked whether it can import what the login needs.
        engine.Executing = _ => new(Output: "comfyauth-imports\t3.11.13\n");
    }

    /// <summary>The engine.</summary>
    public EmulatedEngine Engine { get; }

    /// <summary>The client of the engine.</summary>
    public DockerClient Client { get; }

    /// <summary>The hub.</summary>
    public EmulatedHub Hub { get; }

    /// <summary>How to install: without a GPU, on a port that is free.</summary>
    public InstallOptions Options { get; }

    /// <summary>Starts it, and lays out a stack file that names the small files in place of the models.</summary>
    /// <param name="root">An empty folder, or one that does not exist yet.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<SampleInstallation> StartAsync(string root, CancellationToken stop)
    {
        var engine = await EmulatedEngine.StartAsync([], overTcp: OperatingSystem.IsWindows(), stop: stop);
        try
        {
            var sample = new SampleInstallation(root, engine, await EmulatedHub.StartAsync(stop: stop));
            await sample.LayOutAsync(stop);
            return sample;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the hub have another file in place of the last model, as after a damaged upload, and loses the one that was downloaded.</summary>
    public void SpoilModel()
    {
        var model = DefaultLayout.QwenModels[^1];
        Hub.Add(new(model.Repository!, model.PathInRepository!, HubContent.Safetensors(ModelBytes, seed: 99)));
        File.Delete(Path.Combine(_root, DefaultLayout.ModelsFolder, model.Kind, model.Name));
    }

    /// <summary>Closes the ports and the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Engine.DisposeAsync();
        await Hub.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task LayOutAsync(CancellationToken stop)
    {
        var description = DeploymentTemplates.Plan(_root, new() { Cpu = true, Port = Options.Port }).Missing.First(file => file.Path == GenAIStack.FileName);
        var text = new StringBuilder(Encoding.UTF8.GetString(description.Content.Span));
        foreach (var (index, model) in DefaultLayout.QwenModels.Index())
        {
            var content = HubContent.Safetensors(ModelBytes, seed: index);
            Hub.Add(new(model.Repository!, model.PathInRepository!, content));
            text.Replace($"size: {model.SizeInBytes}", $"size: {content.Length}").Replace(model.Sha256!, content.Sha256);
        }

        Directory.CreateDirectory(_root);
        await File.WriteAllTextAsync(Path.Combine(_root, GenAIStack.FileName), text.ToString(), stop);
    }

    // The engine answers when this returns, so that nobody finds the port closed.
    private void Serve()
    {
        if (_server is null)
            _server = Task.Run(() => EmulatedComfyUI.StartAsync(new() { Port = Options.Port!.Value, GpuMemory = null, PasswordFile = Path.Combine(_root, SampleStack.Service, ".secrets", "PASSWORD") })).GetAwaiter().GetResult();
        else
            _server.Restart();
    }

    private void EndServer()
    {
        if (_server is { } server)
            Task.Run(async () => await server.DisposeAsync()).GetAwaiter().GetResult();
        _server = null;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
