namespace ComfyAuth.Containers;

/// <summary>What a container is waited for to be.</summary>
public enum ContainerGoal
{
    /// <summary>The service does its work for us: it accepts our token, where it asks for one.</summary>
    Ready,

    /// <summary>The service answers at all.</summary>
    Live,

    /// <summary>The healthcheck passes.</summary>
    Healthy,
}
