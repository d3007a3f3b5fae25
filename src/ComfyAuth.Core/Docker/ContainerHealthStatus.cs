namespace ComfyAuth.Docker;

/// <summary>What the healthcheck says.</summary>
public enum ContainerHealthStatus
{
    /// <summary>There is no healthcheck.</summary>
    None,

    /// <summary>No check has passed yet, and too few have failed.</summary>
    Starting,

    /// <summary>The last check passed.</summary>
    Healthy,

    /// <summary>As many checks in a row have failed as the healthcheck has retries.</summary>
    Unhealthy,
}
