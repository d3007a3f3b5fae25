namespace ComfyAuth.Compose;

/// <summary>Where a container's variable gets its value.</summary>
public enum ComposeVariableOrigin
{
    /// <summary>Written in the compose file as it is.</summary>
    Literal,

    /// <summary>Written in the compose file with variables in it.</summary>
    Interpolated,

    /// <summary>Only named in the compose file: Compose passes on its own variable of that name.</summary>
    Inherited,

    /// <summary>Out of an <c>env_file</c>.</summary>
    EnvironmentFile,
}
