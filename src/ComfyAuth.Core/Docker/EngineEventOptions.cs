namespace ComfyAuth.Docker;

/// <summary>Which events.</summary>
public sealed record EngineEventOptions
{
    /// <summary>Only of these containers, by name or identifier; empty: of everything.</summary>
    public IReadOnlyList<string> Containers { get; init; } = [];

    /// <summary>Only of objects with these labels, written <c>key</c> or <c>key=value</c>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>From then on; null: from now on.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Until then; null: without an end.</summary>
    public DateTimeOffset? Until { get; init; }
}
