namespace ComfyAuth.Compose;

/// <summary>One service as Compose sees it in the end: files merged, variables replaced, paths resolved.</summary>
public sealed record ComposeService
{
    /// <summary>The service's name.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its container; null when Compose makes one up.</summary>
    public string? ContainerName { get; init; }

    /// <summary>The image; null when it is only built.</summary>
    public string? Image { get; init; }

    /// <summary>Whether the image is built.</summary>
    public bool HasBuild { get; init; }

    /// <summary>The entry point, as words; null for the image's own. May hold a secret.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>The command, as words; null for the image's own. May hold a secret.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>The variables that the container gets, each once.</summary>
    public required IReadOnlyList<ComposeVariable> Environment { get; init; }

    /// <summary>The files that more of the variables come from; a later one beats an earlier one, and the file's own variables beat both.</summary>
    public required IReadOnlyList<ComposeEnvironmentFile> EnvironmentFiles { get; init; }

    /// <summary>The published ports.</summary>
    public required IReadOnlyList<ComposePort> Ports { get; init; }

    /// <summary>The mounts, <c>tmpfs</c> included.</summary>
    public required IReadOnlyList<ComposeMount> Mounts { get; init; }

    /// <summary>The healthcheck; null when the file says nothing about it.</summary>
    public Healthcheck? Healthcheck { get; init; }

    /// <summary>The devices it reserves.</summary>
    public required IReadOnlyList<ComposeDeviceReservation> DeviceReservations { get; init; }

    /// <summary>The runtime, such as <c>nvidia</c>; null for the engine's default.</summary>
    public string? Runtime { get; init; }

    /// <summary>The restart policy as the engine writes it, such as <c>unless-stopped</c> or <c>on-failure:3</c>; null when there is none.</summary>
    public string? Restart { get; init; }

    /// <summary>The networks it is attached to; empty for the project's own.</summary>
    public required IReadOnlyList<string> Networks { get; init; }

    /// <summary>The network mode, such as <c>host</c>; null when there is none.</summary>
    public string? NetworkMode { get; init; }

    /// <summary>The container's labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>The logging; null for the engine's default.</summary>
    public ComposeLogging? Logging { get; init; }

    /// <summary>Whether a small init process runs first in the container.</summary>
    public bool Init { get; init; }

    /// <summary>Whether the container has nearly all rights of the host.</summary>
    public bool Privileged { get; init; }

    /// <summary>The user that it runs as; null for the image's own.</summary>
    public string? User { get; init; }

    /// <summary>The most memory it gets, in bytes; null for no limit.</summary>
    public long? MemoryLimitInBytes { get; init; }

    /// <summary>The memory it is promised, in bytes; null for none.</summary>
    public long? MemoryReservationInBytes { get; init; }

    /// <summary>The profiles of which one must be active; empty when it is always there.</summary>
    public required IReadOnlyList<string> Profiles { get; init; }

    /// <summary>What interpolation did to its values that their author did not mean.</summary>
    public required IReadOnlyList<InterpolationProblem> Problems { get; init; }

    /// <summary>Where its name stands.</summary>
    public required ComposePlace Place { get; init; }

    /// <summary>What it was read from; null for one that was not read.</summary>
    internal ComposeReader? Source { get; init; }

    /// <summary>Where a setting stands; where the service does if it has none of that name.</summary>
    internal ComposePlace PlaceOf(string key) => Source?.Node.Entries.ContainsKey(key) == true ? Source.PlaceOf(key) : Place;

    /// <summary>The name and the place; not the settings, which may hold secrets.</summary>
    public override string ToString() => $"{Name} ({Place})";
}
