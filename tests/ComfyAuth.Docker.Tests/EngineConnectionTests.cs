using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>The ways to an engine other than a socket that is open to us.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class EngineConnectionTests(TestEngine engine) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tls_works_with_the_right_certificates_only()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "an engine with TLS must be our own");
        MakeCertificates();
        await using var own = await StartWithTlsAsync();
        DockerTlsMaterial Material(string? authority, string? client) =>
            new(authority is null ? null : PathOf(authority + ".pem"), client is null ? null : PathOf(client + ".pem"), client is null ? null : PathOf(client + "-key.pem"));
        async Task<string> CodeAsync(DockerTlsMaterial? material)
        {
            await using var client = new DockerClient(DockerEndpoint.Parse(own.Address, "the test", material), new() { ConnectTimeout = TimeSpan.FromMinutes(1), RequestTimeout = TimeSpan.FromMinutes(1) });
            try
            {
                await client.InfoAsync(Stop);
                return "fine";
            }
            catch (DockerException error)
            {
                return error.Code;
            }
        }

        Assert.Equal("fine", await CodeAsync(Material("ca", "client")));
        Assert.Equal("fine", await CodeAsync(Material(null, "client") with { SkipVerify = true }));
        Assert.Equal("DockerTlsFailed", await CodeAsync(Material(null, "client")));
        Assert.Equal("DockerTlsFailed", await CodeAsync(Material("stranger", "client")));
        Assert.Equal("DockerTlsFailed", await CodeAsync(Material("ca", null)));
        Assert.Equal("DockerTlsFailed", await CodeAsync(null));
        File.WriteAllText(PathOf("garbage.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        var unreadable = DockerEndpoint.Parse(own.Address, "the test", Material("ca", "client") with { CertificatePath = PathOf("garbage.pem") });
        Assert.Equal("DockerTlsFailed", Assert.Throws<DockerException>(() => new DockerClient(unreadable)).Code);
    }

    [Fact]
    public async Task Over_ssh_the_engine_is_reached_through_dial_stdio()
    {
        Assert.SkipUnless(engine.Client is not null && engine.IsOurs, "the socket must be known");
        Assert.SkipUnless(File.Exists("/usr/bin/docker") || File.Exists("/usr/local/bin/docker"), "the docker program is not installed");
        var program = Script("""
            echo "$@" >> "$(dirname "$0")/arguments"
            while [ "$1" != -- ]; do shift; done
            shift 2
            exec "$@"
            """);
        var endpoint = DockerEndpoint.Parse($"ssh://admin@gpu-box:2222{engine.Client!.Endpoint.SocketPath}", "the test");
        await using var client = new DockerClient(endpoint, new() { SshProgram = program, RequestTimeout = TimeSpan.FromMinutes(1) });

        await using var container = await engine.RunAsync("echo one; sleep 600");
        Assert.Equal(container.Id, (await client.InspectContainerAsync(container.Name, Stop)).Id);
        await foreach (var line in client.LogsAsync(container.Id, new() { Follow = true }, Stop))
        {
            Assert.Equal("one", line.Text);
            break;
        }

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var waiting = client.WaitAsync(container.Id, cancel.Token);
        cancel.CancelAfter(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting).WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.Equal(
            $"-T -o BatchMode=yes -o ConnectTimeout=5 -l admin -p 2222 -- gpu-box docker --host unix://{engine.Client.Endpoint.SocketPath} system dial-stdio",
            File.ReadLines(PathOf("arguments")).First());
    }

    [Theory]
    [InlineData("echo 'admin@gpu-box: Permission denied (publickey).' >&2; exit 255", "Permission denied (publickey)")]
    [InlineData("exit 1", "the connection was closed")]
    public async Task What_ssh_says_is_the_reason(string script, string reason)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell script");
        await using var client = new DockerClient(DockerEndpoint.Parse("ssh://gpu-box", "the test"), new() { SshProgram = Script(script) });

        var error = await Assert.ThrowsAsync<DockerException>(() => client.PingAsync(Stop));

        Assert.Equal("DockerSshFailed", error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        await using var nothing = new DockerClient(DockerEndpoint.Parse("ssh://gpu-box", "the test"), new() { SshProgram = PathOf("nothing") });
        Assert.Equal("DockerSshFailed", (await Assert.ThrowsAsync<DockerException>(() => nothing.PingAsync(Stop))).Code);
    }

    [Fact]
    public async Task Without_permission_the_group_of_the_socket_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root to become nobody");
        await using var server = new ScriptedServer(_ => "");
        using (var chgrp = Process.Start("chgrp", ["users", server.Path]))
            await chgrp.WaitForExitAsync(Stop);
        File.SetUnixFileMode(server.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        var connector = new DockerConnector(DockerEndpoint.Parse("unix://" + server.Path, "the test"), new());

        // The file system's user is a matter of each thread, and a connection to a socket is tried on the caller's.
        var connecting = new TaskCompletionSource<Task<Stream>>();
        var thread = new Thread(() =>
        {
            _ = SetFileSystemUser(65534);
            connecting.SetResult(connector.ConnectAsync(Stop).AsTask());
        });
        thread.Start();

        var error = await Assert.ThrowsAsync<DockerException>(async () => await (await connecting.Task));

        Assert.Equal("DockerPermissionDenied", error.Code);
        Assert.Contains("'users'", error.Message, StringComparison.Ordinal);
        Assert.Contains("usermod -aG users", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_named_pipe_carries_the_same_requests()
    {
        // On Unix .NET makes a named pipe of a socket in the temporary folder.
        var name = $"comfyauth-{Guid.NewGuid():N}";
        await using var pipe = new System.IO.Pipes.NamedPipeServerStream(name, System.IO.Pipes.PipeDirection.InOut, 1, System.IO.Pipes.PipeTransmissionMode.Byte, System.IO.Pipes.PipeOptions.Asynchronous);
        await using var client = new DockerClient(DockerEndpoint.Parse($"npipe:////./pipe/{name}", "the test"));

        var pinging = client.PingAsync(Stop);
        await pipe.WaitForConnectionAsync(Stop);
        Assert.NotEqual(0, await pipe.ReadAsync(new byte[4096], Stop));
        await pipe.WriteAsync(System.Text.Encoding.ASCII.GetBytes(ScriptedServer.Ping), Stop);

        Assert.Equal(new Version(1, 43), await pinging);
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(int user);

    private string PathOf(string name) => _folder.PathOf(name);

    private string Script(string text) => _folder.WriteProgram("ssh", "#!/bin/sh\n" + text.ReplaceLineEndings("\n") + "\n");

    private async Task<TlsEngine> StartWithTlsAsync()
    {
        // The port is free when it is chosen; somebody else may take it before the engine does.
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort.Next();
            try
            {
                var started = await EngineProcess.StartAsync(
                    "tls", Stop, "--host", $"tcp://127.0.0.1:{port}", "--tlsverify", "--tlscacert", PathOf("ca.pem"), "--tlscert", PathOf("server.pem"), "--tlskey", PathOf("server-key.pem"));
                return new(started, $"tcp://127.0.0.1:{port}");
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
            }
        }
    }

    private void MakeCertificates()
    {
        using var authority = Authority("ca");
        using var stranger = Authority("stranger");
        Leaf("server", request =>
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        });
        Leaf("client", _ => { });

        X509Certificate2 Authority(string name)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            File.WriteAllText(PathOf(name + ".pem"), made.ExportCertificatePem());
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
        }

        void Leaf(string name, Action<CertificateRequest> change)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
            change(request);
            using var made = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8));
            File.WriteAllText(PathOf(name + ".pem"), made.ExportCertificatePem());
            File.WriteAllText(PathOf(name + "-key.pem"), key.ExportPkcs8PrivateKeyPem());
        }
    }

    private sealed record TlsEngine(EngineProcess Process, string Address) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
