namespace ComfyAuth.Tokens;

/// <summary>The layers that a credential passes through on its way into a running server; each may hold another one.</summary>
public enum TokenLayer
{
    /// <summary>Files on this machine, the source of truth among them.</summary>
    File,

    /// <summary>The environment that the container was made with. A restart keeps it.</summary>
    ContainerEnvironment,

    /// <summary><c>login/PASSWORD</c> inside the container, which the server reads when it starts.</summary>
    ContainerFile,

    /// <summary>What the running server accepts and refuses.</summary>
    Server,
}
