namespace ComfyAuth.Compose;

/// <summary>What a healthcheck runs.</summary>
public enum HealthcheckKind
{
    /// <summary>What the image says; the file only sets its times.</summary>
    Image,

    /// <summary>Nothing: it is switched off.</summary>
    None,

    /// <summary>A program with arguments.</summary>
    Command,

    /// <summary>A line for the container's shell.</summary>
    Shell,
}
