namespace ComfyAuth.Docker;

/// <summary>Deadlines of a <see cref="DockerClient"/>.</summary>
public sealed record DockerClientOptions
{
    /// <summary>How long making a connection may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an ordinary request may take, its answer included; for a stream with an end (a log, an archive), how long
    /// the engine may be silent. Following, waiting, pulling and running a command have no deadline but the caller's token.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an engine whose answer broke off is asked whether it still runs.</summary>
    internal TimeSpan ProbeTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The OpenSSH client.</summary>
    internal string SshProgram { get; init; } = "ssh";
}
