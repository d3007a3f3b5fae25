using System.Buffers;
using System.Globalization;

namespace ComfyAuth.Docker;

/// <summary>Where a Docker Engine listens, and how we know.</summary>
/// <remarks>Not a <see cref="Uri"/>: that type takes the dot out of <c>npipe:////./pipe/docker_engine</c>.</remarks>
public sealed record DockerEndpoint
{
    private static readonly SearchValues<char> NotInHost = SearchValues.Create("@/\\?# \t\r\n\0");

    private DockerEndpoint(DockerTransport transport, string address, string origin) => (Transport, Address, Origin) = (transport, address, origin);

    /// <summary>The address as Docker writes it, such as <c>unix:///var/run/docker.sock</c>; it never holds a password.</summary>
    public string Address { get; }

    /// <summary>How the engine is reached.</summary>
    public DockerTransport Transport { get; }

    /// <summary>Where the address came from: <c>DOCKER_HOST</c>, <c>the context 'gpu' of DOCKER_CONTEXT</c>, and so on.</summary>
    public string Origin { get; }

    /// <summary>TLS material; null without TLS. Only TCP has it.</summary>
    public DockerTlsMaterial? Tls { get; init; }

    /// <summary>The path of the socket, or <c>//./pipe/name</c>; the socket on the other machine for SSH; empty otherwise.</summary>
    public string SocketPath { get; private init; } = "";

    /// <summary>The other machine, for TCP and SSH; empty otherwise.</summary>
    public string Host { get; private init; } = "";

    /// <summary>The port, for TCP and SSH; 0 where it is not given.</summary>
    public int Port { get; private init; }

    /// <summary>The account on the other machine, for SSH; empty where it is not given.</summary>
    public string User { get; private init; } = "";

    /// <summary>
    /// Reads an address with the rules of the Docker CLI: no scheme means TCP, and what is missing is the default
    /// (localhost, port 2375, or 2376 with TLS, the default socket).
    /// </summary>
    /// <param name="address">Such as <c>tcp://10.0.0.5:2376</c>.</param>
    /// <param name="origin">Where it came from.</param>
    /// <param name="tls">TLS material; used for TCP.</param>
    /// <exception cref="DockerException"><c>DockerHostInvalid</c>: the address is none of those above.</exception>
    public static DockerEndpoint Parse(string address, string origin, DockerTlsMaterial? tls = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        address = address.Trim();
        var split = address.IndexOf("://", StringComparison.Ordinal);
        var (scheme, rest) = split < 0 ? ("tcp", address) : (address[..split].ToLowerInvariant(), address[(split + 3)..]);
        return scheme switch
        {
            "unix" => Socket(rest.Length == 0 ? DockerEndpointResolver.UnixSocketPath : rest, origin),
            "npipe" => Pipe(rest.Length == 0 ? DockerEndpointResolver.PipePath : rest.Replace('\\', '/'), origin),
            "tcp" => Tcp(rest, origin, tls),
            "ssh" => Ssh(rest, origin),
            _ => throw Invalid(origin, "its scheme is none of unix, npipe, tcp, ssh"),
        };
    }

    /// <summary>The address and where it came from.</summary>
    public override string ToString() => $"{Address} (from {Origin})";

    private static DockerEndpoint Socket(string path, string origin) =>
        path.Contains('\0') || path[0] is not ('/' or '@')
            ? throw Invalid(origin, "a socket's path must be absolute, as in unix:///var/run/docker.sock")
            : new(DockerTransport.UnixSocket, "unix://" + path, origin) { SocketPath = path };

    private static DockerEndpoint Pipe(string path, string origin) =>
        path.Split('/') is ["", "", { Length: > 0 }, "pipe", { Length: > 0 }, ..]
            ? new(DockerTransport.NamedPipe, "npipe://" + path, origin) { SocketPath = path }
            : throw Invalid(origin, "a pipe is written as in npipe:////./pipe/docker_engine");

    private static DockerEndpoint Tcp(string rest, string origin, DockerTlsMaterial? tls)
    {
        var (host, port) = HostAndPort(rest.TrimEnd('/'), origin);
        host = host.Length == 0 ? "localhost" : host;
        port = port != 0 ? port : tls is null ? 2375 : 2376;
        return new(DockerTransport.Tcp, $"tcp://{Bracketed(host)}:{port}", origin) { Host = host, Port = port, Tls = tls };
    }

    private static DockerEndpoint Ssh(string rest, string origin)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (authority, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[slash..].TrimEnd('/'));
        var at = authority.LastIndexOf('@');
        var user = at < 0 ? "" : authority[..at];
        if (user.Contains(':'))
            throw Invalid(origin, "it holds a password; SSH takes keys or an agent instead");

        var (host, port) = HostAndPort(authority[(at + 1)..], origin);

        // ssh itself would read a leading dash as one of its options.
        if (host.Length == 0 || host[0] == '-' || user.StartsWith('-'))
            throw Invalid(origin, "the name of the machine is missing or begins with a dash");

        var name = (user.Length == 0 ? "" : user + "@") + Bracketed(host) + (port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{port}"));
        return new(DockerTransport.Ssh, $"ssh://{name}{path}", origin) { Host = host, Port = port, User = user, SocketPath = path };
    }

    private static (string Host, int Port) HostAndPort(string text, string origin)
    {
        if (text.AsSpan().ContainsAny(NotInHost))
            throw Invalid(origin, "host and port are written as in tcp://host:2376");

        var close = text.LastIndexOf(']');
        var colon = text.IndexOf(':', close + 1);
        var host = colon < 0 ? text : text[..colon];
        if (close >= 0)
            host = host[0] == '[' && host[^1] == ']' ? host[1..^1] : throw Invalid(origin, "an IPv6 address is written as in tcp://[::1]:2376");

        var port = 0;
        if (colon >= 0 && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
            throw Invalid(origin, "the port is not a number from 1 to 65535");
        return (host, port);
    }

    private static string Bracketed(string host) => host.Contains(':') ? $"[{host}]" : host;

    private static DockerException Invalid(string origin, string why) =>
        new("DockerHostInvalid",
            $"The Docker address from {origin} cannot be used: {why}.",
            "Give an address like unix:///var/run/docker.sock, npipe:////./pipe/docker_engine, tcp://host:2376 or ssh://user@host.");
}
