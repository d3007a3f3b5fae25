namespace ComfyAuth.Docker;

/// <summary>A container as a list shows it.</summary>
public sealed record ContainerSummary
{
    /// <summary>The whole identifier.</summary>
    public required string Id { get; init; }

    /// <summary>The name, without the engine's leading slash.</summary>
    public required string Name { get; init; }

    /// <summary>The image it was made from, as it was named.</summary>
    public required string Image { get; init; }

    /// <summary>The state.</summary>
    public required ContainerState State { get; init; }

    /// <summary>The state in the engine's words: <c>Up 15 minutes (unhealthy)</c>.</summary>
    public required string Status { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Its ports.</summary>
    public required IReadOnlyList<ContainerPort> Ports { get; init; }

    internal static ContainerSummary From(ContainerListAnswer answer) => new()
    {
        Id = answer.Id ?? "",

        // A link of another container adds names with a second slash.
        Name = (EngineValues.Items(answer.Names).FirstOrDefault(name => name.LastIndexOf('/') <= 0) ?? "").TrimStart('/'),
        Image = answer.Image ?? "",
        State = EngineValues.State(answer.State),
        Status = answer.Status ?? "",
        CreatedAt = EngineValues.UnixTime(answer.Created),
        Labels = answer.Labels ?? [],
        Ports = [.. EngineValues.Items(answer.Ports).Select(port => new ContainerPort(port.PrivatePort, port.Type ?? "tcp", port.IP ?? "", port.PublicPort))],
    };
}
