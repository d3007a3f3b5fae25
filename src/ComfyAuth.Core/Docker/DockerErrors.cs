using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace ComfyAuth.Docker;

/// <summary>The only place that says what went wrong with an engine.</summary>
internal static partial class DockerErrors
{
    private const int LongestEngineMessage = 1000;

    /// <summary>No connection could be made.</summary>
    public static async Task<DockerException> CannotConnectAsync(DockerEndpoint endpoint, Exception error, CancellationToken stop) => error switch
    {
        Win32Exception when endpoint.Transport == DockerTransport.Ssh && error is not SocketException => new(
            "DockerSshFailed",
            $"The OpenSSH client cannot be started, so {endpoint} cannot be reached: {error.Message}",
            "Install the OpenSSH client and put it on the PATH.",
            error),
        SocketException { SocketErrorCode: SocketError.AccessDenied } or UnauthorizedAccessException => PermissionDenied(endpoint, await GroupAsync(endpoint, stop).ConfigureAwait(false), error),
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => new(
            "DockerNotRunning",
            $"The machine of the Docker engine at {endpoint} is not known.",
            "Check the name of the machine and the name service.",
            error),
        SocketException { SocketErrorCode: SocketError.TimedOut } => Timeout(endpoint, "the connection", error),
        ArgumentException or PlatformNotSupportedException => new(
            "DockerHostInvalid",
            $"{endpoint} is no address that this system can connect to: {error.Message}",
            "Give another address.",
            error),
        _ when IsLocal(endpoint) && !SocketExists(endpoint) && !IsInstalled() => new(
            "DockerNotInstalled",
            $"Docker is not installed: there is nothing at {endpoint}, and no docker program on the PATH.",
            "Install Docker Engine or Docker Desktop, or name an engine on another machine with DOCKER_HOST or a context.",
            error),
        _ => NotRunning(endpoint, error),
    };

    public static DockerException NotRunning(DockerEndpoint endpoint, Exception? error, string what = "") => new(
        "DockerNotRunning",
        $"The Docker engine at {endpoint} does not run{(what.Length == 0 ? "" : " any more: it stopped in the middle of " + what)}.",
        endpoint.Transport switch
        {
            DockerTransport.UnixSocket when OperatingSystem.IsLinux() => "Start it, with 'systemctl start docker' or by starting Docker Desktop.",
            DockerTransport.UnixSocket or DockerTransport.NamedPipe => "Start Docker Desktop, and wait until it says that the engine runs.",
            _ => "Start it on that machine, and check that it listens on that address and that no firewall is between.",
        },
        error);

    public static DockerException Timeout(DockerEndpoint endpoint, string what, Exception? error = null) => new(
        "DockerTimeout",
        $"The Docker engine at {endpoint} did not answer {what} in time.",
        "See whether the engine or its disk is overloaded (docker info), and restart it if it hangs.",
        error);

    public static DockerException Protocol(DockerEndpoint endpoint, string what, string why, Exception? error = null) => new(
        "DockerProtocolError",
        $"The answer of the Docker engine at {endpoint} to {what} cannot be used: {why}.",
        "Check that a Docker engine listens at this address, and that no proxy changes its answers; then run it again.",
        error);

    public static DockerException Tls(DockerEndpoint endpoint, string why, Exception? error) => new(
        "DockerTlsFailed",
        $"No TLS connection to the Docker engine at {endpoint}: {why.TrimEnd('.')}.",
        endpoint.Tls is { } tls
            ? $"Check ca.pem, cert.pem and key.pem ({Described(tls)}), that they have not expired, and that the engine's certificate names this host."
            : "The engine wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context with certificates.",
        error);

    public static DockerException Ssh(DockerEndpoint endpoint, string errorText) => new(
        "DockerSshFailed",
        $"The Docker engine at {endpoint} cannot be reached over SSH: {(errorText.Length == 0 ? "the connection was closed" : OneLine(errorText))}.",
        "Check that 'ssh' reaches that machine without a prompt, that docker is on the PATH there, and that the account may use it.");

    /// <summary>A refusal by the engine itself.</summary>
    public static DockerException Refused(DockerEndpoint endpoint, string what, HttpStatusCode status, string said)
    {
        var message = $"The Docker engine at {endpoint} refused {what}: {OneLine(said)}.";
        return status switch
        {
            _ when TooNew().IsMatch(said) || TooOld().IsMatch(said) => Version(endpoint, OneLine(said), engineIsNewer: TooOld().IsMatch(said)),
            _ when said.Contains("HTTP request to an HTTPS server", StringComparison.OrdinalIgnoreCase) => Tls(endpoint, "the engine wants TLS there", null),
            HttpStatusCode.NotFound => new("DockerNotFound", message, "Check the name; see 'docker ps --all' and 'docker images'."),
            // The engine forbids to remove a network that is in use, where it calls that of a volume or an image a conflict.
            HttpStatusCode.Conflict or HttpStatusCode.Forbidden when status == HttpStatusCode.Conflict || said.Contains("active endpoints", StringComparison.Ordinal) => new("DockerConflict", message, "Bring it into a state that allows this: start it, stop it, or free the name; then run it again."),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new("DockerPermissionDenied", message, "Use an account that the engine, its authorization plugin or the registry allows this."),
            _ => new("DockerRequestFailed", message, "Remove the cause that the engine names, then run it again."),
        };
    }

    public static DockerException Version(DockerEndpoint endpoint, string said, bool engineIsNewer) => engineIsNewer
        ? new(
            "DockerApiTooNew",
            $"The Docker engine at {endpoint} no longer speaks the API version that this program knows: {said}.",
            "Update this program.")
        : new(
            "DockerApiTooOld",
            $"The Docker engine at {endpoint} is too old: {said}.",
            "Update the engine to version 19.03 or later.");

    /// <summary>An exception of HTTP or below. The cause decides, however deep it lies.</summary>
    public static DockerException? FromTransport(DockerEndpoint endpoint, string what, Exception error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case DockerException ours:
                    return ours;
                case AuthenticationException or CryptographicException when endpoint.Tls is not null:
                    return Tls(endpoint, cause.Message, error);
                case TimeoutException:
                    return Timeout(endpoint, "the connection", error);
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }
                    or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return Protocol(endpoint, what, "it is not HTTP as an engine speaks it", error);
            }
        }

        return null;
    }

    /// <summary>At most so much of a text, in one line, without its full stop.</summary>
    public static string OneLine(string text)
    {
        text = LineBreaks().Replace(text, " ").Trim().TrimEnd('.');
        return text.Length > LongestEngineMessage ? string.Concat(text.AsSpan(0, LongestEngineMessage), "...") : text;
    }

    private static DockerException PermissionDenied(DockerEndpoint endpoint, string group, Exception error) => new(
        "DockerPermissionDenied",
        $"This account may not use the Docker engine at {endpoint}: its socket is for the members of the group '{group}'.",
        OperatingSystem.IsWindows()
            ? $"Add the account to the group with 'net localgroup {group} <account> /add', then sign in again."
            : $"Add the account to the group with 'sudo usermod -aG {group} <account>', then sign in again; or run as root.",
        error);

    private static async Task<string> GroupAsync(DockerEndpoint endpoint, CancellationToken stop)
    {
        if (OperatingSystem.IsWindows())
            return "docker-users";

        // .NET does not tell the group of a file.
        try
        {
            using var stat = Process.Start(new ProcessStartInfo("stat", OperatingSystem.IsMacOS() ? ["-f", "%Sg", endpoint.SocketPath] : ["-L", "-c", "%G", endpoint.SocketPath])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var name = await stat.StandardOutput.ReadToEndAsync(stop).ConfigureAwait(false);
            return name.Trim() is { Length: > 0 } group and not "UNKNOWN" ? group : "docker";
        }
        catch (Exception error) when (error is Win32Exception or IOException)
        {
            return "docker";
        }
    }

    private static bool IsLocal(DockerEndpoint endpoint) => endpoint.Transport is DockerTransport.UnixSocket or DockerTransport.NamedPipe;

    private static bool SocketExists(DockerEndpoint endpoint) => endpoint.Transport == DockerTransport.UnixSocket && File.Exists(endpoint.SocketPath);

    private static bool IsInstalled()
    {
        string[] programs = OperatingSystem.IsWindows() ? ["docker.exe", "dockerd.exe"] : ["docker", "dockerd"];
        string[] folders = OperatingSystem.IsWindows()
            ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "Docker", "Docker", "resources", "bin")]
            : ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/snap/bin", "/Applications/Docker.app/Contents/Resources/bin"];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(folders)
            .Any(folder => programs.Any(program => File.Exists(Path.Combine(folder, program))));
    }

    private static string Described(DockerTlsMaterial tls) =>
        string.Join(", ", new[] { tls.CertificateAuthorityPath, tls.CertificatePath, tls.KeyPath }.OfType<string>()) is { Length: > 0 } files ? files : "none was found";

    // The version of the engine's client is meant, which is us.
    [GeneratedRegex(@"^client version \S+ is too new", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TooNew();

    [GeneratedRegex(@"^client version \S+ is too old", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TooOld();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex LineBreaks();
}
