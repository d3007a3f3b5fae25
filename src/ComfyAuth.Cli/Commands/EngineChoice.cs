using System.CommandLine;
using ComfyAuth.Docker;

namespace ComfyAuth.Cli.Commands;

/// <summary>Where the Docker engine of a run is; it is connected to once, by whoever asks first.</summary>
internal sealed class EngineChoice(ParseResult parsed) : IDisposable
{
    private readonly object _lock = new();
    private DockerClient? _client;

    /// <summary>The option for a context.</summary>
    public static Option<string?> Context { get; } = new("--context") { Description = "The Docker context that tells where the engine is.", Validators = { CommandSession.RequireValue } };

    /// <summary>The option for an address.</summary>
    public static Option<string?> Host { get; } = new("--docker-host") { Description = "The address of the engine, such as tcp://gpu-box:2376.", Validators = { CommandSession.RequireValue } };

    /// <summary>The engine's client, the same each time.</summary>
    /// <exception cref="ComfyAuthException">It cannot be told where the engine is.</exception>
    public DockerClient Connect()
    {
        lock (_lock)
            return _client ??= new(new DockerEndpointResolver().Resolve(parsed.GetValue(Host), parsed.GetValue(Context)));
    }

    public void Dispose() => _client?.Dispose();
}
