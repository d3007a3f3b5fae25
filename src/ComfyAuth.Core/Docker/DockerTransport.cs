namespace ComfyAuth.Docker;

/// <summary>How the Docker Engine is reached.</summary>
public enum DockerTransport
{
    /// <summary>A Unix domain socket: <c>unix:///var/run/docker.sock</c>.</summary>
    UnixSocket,

    /// <summary>A Windows named pipe: <c>npipe:////./pipe/docker_engine</c>.</summary>
    NamedPipe,

    /// <summary>TCP, with TLS where the endpoint has TLS material: <c>tcp://host:2376</c>.</summary>
    Tcp,

    /// <summary>The OpenSSH client, which runs <c>docker system dial-stdio</c> on the other machine: <c>ssh://user@host</c>.</summary>
    Ssh,
}
