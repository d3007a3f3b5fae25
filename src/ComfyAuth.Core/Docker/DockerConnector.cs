using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Net.Security;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ComfyAuth.Docker;

/// <summary>Makes the connections to one endpoint.</summary>
internal sealed class DockerConnector(DockerEndpoint endpoint, DockerClientOptions options)
{
    public async ValueTask<Stream> ConnectAsync(CancellationToken stop)
    {
        try
        {
            return endpoint.Transport switch
            {
                DockerTransport.UnixSocket => await ConnectSocketAsync(stop).ConfigureAwait(false),
                DockerTransport.NamedPipe => await ConnectPipeAsync(stop).ConfigureAwait(false),
                DockerTransport.Ssh => StartSsh(),
                _ => await ConnectTcpAsync(stop).ConfigureAwait(false),
            };
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException or Win32Exception or ArgumentException or PlatformNotSupportedException)
        {
            throw await DockerErrors.CannotConnectAsync(endpoint, error, stop).ConfigureAwait(false);
        }
    }

    /// <summary>The TLS side of a connection; null for an endpoint without TLS.</summary>
    public SslClientAuthenticationOptions? TlsOptions()
    {
        if (endpoint.Tls is not { } material)
            return null;

        try
        {
            // The chain is built by us: the engine's authority is private, and has no list of revoked certificates.
            var tls = new SslClientAuthenticationOptions { TargetHost = endpoint.Host, CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
            if (material is { CertificatePath: { } certificate, KeyPath: { } key })
                tls.ClientCertificates = [LoadCertificate(certificate, key)];
            if (material.SkipVerify)
            {
#pragma warning disable CA5359 // The user's own wish, as with the Docker CLI.
                tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            }
            else if (material.CertificateAuthorityPath is { } authority)
            {
                tls.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authority);
            }

            return tls;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw DockerErrors.Tls(endpoint, "the PEM files cannot be read: " + error.Message, error);
        }
    }

    private static X509Certificate2 LoadCertificate(string certificate, string key)
    {
        var loaded = X509Certificate2.CreateFromPemFile(certificate, key);
        if (!OperatingSystem.IsWindows())
            return loaded;

        // Windows' TLS takes no key that lives in memory only.
        using (loaded)
        {
#pragma warning disable SYSLIB0057 // Its successor is not in .NET 8.
            return new(loaded.Export(X509ContentType.Pkcs12));
#pragma warning restore SYSLIB0057
        }
    }

    private Task<Stream> ConnectSocketAsync(CancellationToken stop)
    {
        // A leading at sign means a name that is not in the file system (Linux).
        var path = endpoint.SocketPath[0] == '@' ? '\0' + endpoint.SocketPath[1..] : endpoint.SocketPath;
        return ConnectAsync(new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path), stop);
    }

    private Task<Stream> ConnectTcpAsync(CancellationToken stop) =>
        ConnectAsync(new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, new DnsEndPoint(endpoint.Host, endpoint.Port), stop);

    private static async Task<Stream> ConnectAsync(Socket socket, EndPoint place, CancellationToken stop)
    {
        try
        {
            await socket.ConnectAsync(place, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Stream> ConnectPipeAsync(CancellationToken stop)
    {
        var parts = endpoint.SocketPath.Split('/', 5);
        var (server, name) = (parts[2], parts[4].Replace('/', '\\'));

        // Connecting to a pipe that is not there would wait for it until the deadline.
        if (OperatingSystem.IsWindows() && server == "." && !Directory.EnumerateFileSystemEntries(@"\\.\pipe\", name).Any())
            throw new FileNotFoundException($"There is no pipe {endpoint.SocketPath}.");

        var pipe = new NamedPipeClientStream(server, name, PipeDirection.InOut, PipeOptions.Asynchronous);
        try
        {
            await pipe.ConnectAsync(stop).ConfigureAwait(false);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ChildProcessStream StartSsh()
    {
        var start = new ProcessStartInfo(options.SshProgram)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };

        // BatchMode: there is nobody to answer a prompt.
        var seconds = Math.Max(1, (int)options.ConnectTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        string[] arguments =
        [
            "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=" + seconds,
            .. endpoint.User.Length > 0 ? ["-l", endpoint.User] : Array.Empty<string>(),
            .. endpoint.Port > 0 ? ["-p", endpoint.Port.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            "--", endpoint.Host, "docker",
            .. endpoint.SocketPath.Length > 0 ? ["--host", "unix://" + endpoint.SocketPath] : Array.Empty<string>(),
            "system", "dial-stdio",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return new(Process.Start(start)!, endpoint);
    }
}
