namespace ComfyAuth.Docker;

/// <summary>A healthcheck as the engine runs it. What is not set is the engine's default.</summary>
public sealed record ContainerHealthcheck
{
    /// <summary>The command: <c>CMD</c> and arguments, <c>CMD-SHELL</c> and a line, or <c>NONE</c>.</summary>
    public required IReadOnlyList<string> Test { get; init; }

    /// <summary>Time between two checks.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a check may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after the start failures do not count.</summary>
    public TimeSpan StartPeriod { get; init; }

    /// <summary>Time between two checks in the start period (Engine 25 and later).</summary>
    public TimeSpan StartInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many failures in a row make the container unhealthy.</summary>
    public int Retries { get; init; } = 3;
}
