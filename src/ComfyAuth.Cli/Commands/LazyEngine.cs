using System.CommandLine;
using ComfyAuth.Docker;

namespace ComfyAuth.Cli.Commands;

/// <summary>The engine that the options choose, looked for when it is first wanted: a command may end well without one.</summary>
internal sealed class LazyEngine(ParseResult parsed) : IDisposable
{
    private DockerClient? _client;

    public DockerClient Client => _client ??= ContainerChoice.Connect(parsed);

    public void Dispose() => _client?.Dispose();
}
