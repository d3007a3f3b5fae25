using System.Net;
using System.Net.Sockets;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>A stack on the disk whose services run in containers on the host's network, and answer as the test says.</summary>
public sealed class TestStack : IDisposable
{
    public static readonly BcryptHash Token = Bcrypt.Hash(RandomSecret.Create(), 4);

    private static int Number;

    public string Root { get; } = Directory.CreateTempSubdirectory("comfyauth-test-").FullName;

    public List<ServiceDefinition> Services { get; } = [];

    public GenAIStack Stack => new() { Root = Root, Definition = new() { Source = "source.json", Services = Services } };

    /// <summary>Answers each connection with a line of shell, which gets the request on standard input.</summary>
    public static string Serve(int port, string answer) =>
        $$"""
        cat > /tmp/answer <<'END'
        #!/bin/sh
        request=""
        while read -r line; do line=${line%?}; [ -n "$line" ] || break; request="$request$line;"; done
        reply() { printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}' "$1"; }
        {{answer}}
        END
        chmod +x /tmp/answer
        exec nc -ll -p {{port}} -e /tmp/answer
        """;

    /// <summary>As ComfyUI-Login answers.</summary>
    public static string ServeLogin(int port) =>
        Serve(port, $"""case "$request" in *'Authorization: Bearer {Token.Reveal()};'*) reply "200 OK";; *) reply "401 Unauthorized";; esac""");

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A service of the stack with a container of that name.</summary>
    public ServiceDefinition Add(int port, AuthKind auth = AuthKind.ComfyUILogin)
    {
        var name = $"comfyauth-test-{Environment.ProcessId}-service-{Interlocked.Increment(ref Number)}";
        Services.Add(new() { Name = name, Container = name, Url = new($"http://localhost:{port}"), HealthPath = "/system_stats", Auth = auth });
        return Services[^1];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
