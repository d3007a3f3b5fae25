using ComfyAuth.Compose;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Makes a compose command talk to the engine that we talk to, whatever the environment and the current context say.</summary>
internal static class ComposeEngine
{
    /// <summary>The variables that lead it there; a null value takes one away.</summary>
    public static IReadOnlyDictionary<string, string?> Variables(DockerEndpoint endpoint)
    {
        var variables = new Dictionary<string, string?>
        {
            ["DOCKER_HOST"] = endpoint.Address,
            ["DOCKER_CONTEXT"] = null,
            ["DOCKER_TLS"] = null,
            ["DOCKER_TLS_VERIFY"] = null,
            ["DOCKER_CERT_PATH"] = null,
        };
        if (endpoint.Tls is not { } tls)
            return variables;

        // The files have the names that Docker gives them, ca.pem, cert.pem and key.pem.
        variables["DOCKER_CERT_PATH"] = Path.GetDirectoryName(tls.CertificateAuthorityPath ?? tls.CertificatePath);
        variables[tls.SkipVerify ? "DOCKER_TLS" : "DOCKER_TLS_VERIFY"] = "1";
        return variables;
    }

    /// <summary>Some commands know only some kinds of connection.</summary>
    /// <exception cref="ComfyAuthException"><c>ComposeCannotReachEngine</c>: this command knows no such connection.</exception>
    public static void ThrowIfOutOfReach(DockerEndpoint endpoint, ComposeCommand compose)
    {
        var why = endpoint.Tls switch
        {
            { SkipVerify: true } when !compose.IsPlugin => "docker-compose cannot be told to take any certificate",
            { SkipVerify: false, CertificateAuthorityPath: null } => "it asks for a ca.pem of the engine's authority, and there is none",
            _ => null,
        };
        if (why is not null)
        {
            throw new ComfyAuthException(
                "ComposeCannotReachEngine",
                $"The compose command cannot talk to the Docker engine at {endpoint}: {why}.",
                "Give the context its ca.pem, cert.pem and key.pem, or run it on the engine's own machine.");
        }
    }
}
