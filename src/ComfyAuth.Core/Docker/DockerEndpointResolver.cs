using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ComfyAuth.Docker;

/// <summary>
/// Finds the engine that the Docker CLI would talk to. The first of these that is given counts: an explicit context or
/// host, <c>DOCKER_HOST</c>, <c>DOCKER_CONTEXT</c>, <c>currentContext</c> of <c>config.json</c>, the default socket.
/// </summary>
/// <remarks>
/// As in the CLI, the context <c>default</c> stands for what <c>DOCKER_HOST</c> says, and <c>DOCKER_TLS_VERIFY</c>,
/// <c>DOCKER_TLS</c> and <c>DOCKER_CERT_PATH</c> count for hosts only: a stored context has its own TLS material.
/// </remarks>
/// <param name="environment">Gives the value of an environment variable, or null.</param>
/// <param name="homeFolder">The user's home folder; holds <c>.docker</c> unless <c>DOCKER_CONFIG</c> names another one.</param>
public sealed class DockerEndpointResolver(Func<string, string?> environment, string homeFolder)
{
    internal const string UnixSocketPath = "/var/run/docker.sock";
    internal const string PipePath = "//./pipe/docker_engine";
    private const string DefaultContext = "default";

    /// <summary>A resolver over the environment and the home folder of this process.</summary>
    public DockerEndpointResolver()
        : this(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify))
    {
    }

    /// <summary>Where the engine's own socket is looked for.</summary>
    internal string DefaultSocketPath { get; init; } = UnixSocketPath;

    private string ConfigFolder => Variable("DOCKER_CONFIG") ?? Path.Combine(homeFolder, ".docker");

    private string ConfigFile => Path.Combine(ConfigFolder, "config.json");

    /// <summary>Finds the engine.</summary>
    /// <param name="host">An explicit address, or null.</param>
    /// <param name="context">The name of an explicit context, or null.</param>
    /// <exception cref="DockerException">
    /// <c>DockerHostAndContext</c>, <c>DockerHostInvalid</c>, <c>DockerContextUnknown</c>, <c>DockerContextInvalid</c> or <c>DockerConfigInvalid</c>.
    /// </exception>
    public DockerEndpoint Resolve(string? host = null, string? context = null)
    {
        if (!string.IsNullOrEmpty(host) && !string.IsNullOrEmpty(context))
        {
            throw new DockerException(
                "DockerHostAndContext",
                $"Both a Docker host and the context '{context}' are given.",
                "Give one of them.");
        }

        if (!string.IsNullOrEmpty(host))
            return FromHost(host, "the given host");
        if (!string.IsNullOrEmpty(context))
            return FromContext(context, "the given context");
        if (Variable("DOCKER_HOST") is not null)
            return Default();
        if (Variable("DOCKER_CONTEXT") is { } named)
            return FromContext(named, "DOCKER_CONTEXT");
        return ReadConfig()?.CurrentContext is { Length: > 0 } current ? FromContext(current, $"currentContext of {ConfigFile}") : Default();
    }

    /// <summary>The names of the contexts, <c>default</c> first; what cannot be read is left out. For completers: it never throws.</summary>
    public IReadOnlyList<string> ContextNames()
    {
        List<string> names = [];
        try
        {
            foreach (var folder in Directory.EnumerateDirectories(Path.Combine(ConfigFolder, "contexts", "meta")))
            {
                if (TryReadMeta(Path.Combine(folder, "meta.json")) is { Name: { Length: > 0 } name } && name != DefaultContext)
                    names.Add(name);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No contexts, or none that we may see.
        }

        names.Sort(StringComparer.Ordinal);
        return [DefaultContext, .. names];
    }

    private static DockerContextFile? TryReadMeta(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), DockerJson.Default.DockerContextFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private DockerEndpoint Default()
    {
        if (Variable("DOCKER_HOST") is { } host)
            return FromHost(host, "DOCKER_HOST");

        var tls = TlsOfEnvironment();
        if (tls is not null)
            return DockerEndpoint.Parse("tcp://", "DOCKER_TLS_VERIFY or DOCKER_TLS", tls);
        if (OperatingSystem.IsWindows())
            return DockerEndpoint.Parse("npipe://", "the default pipe");
        return !File.Exists(DefaultSocketPath) && Variable("XDG_RUNTIME_DIR") is { } runtime && Path.Combine(runtime, "docker.sock") is var rootless && File.Exists(rootless)
            ? DockerEndpoint.Parse("unix://" + rootless, "the default rootless socket")
            : DockerEndpoint.Parse("unix://" + DefaultSocketPath, "the default socket");
    }

    private DockerEndpoint FromHost(string host, string origin) => DockerEndpoint.Parse(host, origin, TlsOfEnvironment());

    private DockerEndpoint FromContext(string name, string origin)
    {
        if (name == DefaultContext)
            return Default();

        origin = $"the context '{name}' ({origin})";
        var id = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))).ToLowerInvariant();
        var path = Path.Combine(ConfigFolder, "contexts", "meta", id, "meta.json");
        if (!File.Exists(path))
        {
            throw new DockerException(
                "DockerContextUnknown",
                $"There is no Docker context '{name}' in {ConfigFolder} ({string.Join(", ", ContextNames())}); it was asked for by {origin}.",
                "Give one of these contexts, or make it with 'docker context create'.");
        }

        if (TryReadMeta(path)?.Endpoints?.GetValueOrDefault("docker") is not { Host: { Length: > 0 } host } endpoint)
        {
            throw new DockerException(
                "DockerContextInvalid",
                $"{path} names no Docker host; it was asked for by {origin}.",
                $"Make the context again: 'docker context rm {name}', then 'docker context create {name}'.");
        }

        var folder = Path.Combine(ConfigFolder, "contexts", "tls", id, "docker");
        var material = Directory.Exists(folder) || endpoint.SkipTLSVerify ? Material(folder, endpoint.SkipTLSVerify) : null;
        return DockerEndpoint.Parse(host, origin, material);
    }

    private DockerTlsMaterial? TlsOfEnvironment()
    {
        var verify = Variable("DOCKER_TLS_VERIFY") is not null;
        return verify || Variable("DOCKER_TLS") is not null ? Material(Variable("DOCKER_CERT_PATH") ?? ConfigFolder, !verify) : null;
    }

    private static DockerTlsMaterial Material(string folder, bool skipVerify)
    {
        return new(Existing("ca.pem"), Existing("cert.pem"), Existing("key.pem"), skipVerify);

        string? Existing(string name) => Path.Combine(folder, name) is var path && File.Exists(path) ? path : null;
    }

    private DockerConfigFile? ReadConfig()
    {
        try
        {
            return File.Exists(ConfigFile) ? JsonSerializer.Deserialize(File.ReadAllBytes(ConfigFile), DockerJson.Default.DockerConfigFile) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            // Not the text of a JsonException's input: the file holds credentials.
            throw new DockerException(
                "DockerConfigInvalid",
                $"{ConfigFile} cannot be read, so the current context is unknown{(error is JsonException json ? $" (not JSON at line {json.LineNumber + 1})" : "")}.",
                "Repair the file, or set DOCKER_HOST or DOCKER_CONTEXT, which come before it.",
                error is JsonException ? null : error);
        }
    }

    // An empty variable is no variable, as in the CLI.
    private string? Variable(string name) => environment(name) is { Length: > 0 } value ? value : null;
}
