namespace ComfyAuth.DotEnv;
/// <summary>x</summary>
[Flags]
public enum DotEnvConsumer
{
    /// <summary>x</summary>
    None = 0,
    /// <summary>x</summary>
    ComposeV2 = 1,
    /// <summary>x</summary>
    ComposeV1 = 2,
    /// <summary>x</summary>
    DockerRun = 4,
    /// <summary>x</summary>
    Shell = 8,
}
