namespace ComfyAuth.Docker;

/// <summary>How to run a command in a container.</summary>
public sealed record ExecOptions
{
    /// <summary>As whom; null: as the container's user.</summary>
    public string? User { get; init; }

    /// <summary>Where; null: in the container's working directory.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables on top of the container's.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Is called each time the command says something; null: nobody wants to know.</summary>
    public Action? Heard { get; init; }
}
