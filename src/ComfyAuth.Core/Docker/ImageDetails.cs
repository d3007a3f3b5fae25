namespace ComfyAuth.Docker;

/// <summary>What the engine knows of one image.</summary>
/// <param name="Id">The identifier, <c>sha256:...</c>.</param>
/// <param name="Tags">Its names.</param>
/// <param name="Digests">Its names in registries, with their digests.</param>
/// <param name="SizeInBytes">Its size.</param>
/// <param name="OperatingSystem"><c>linux</c> or <c>windows</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c>.</param>
/// <param name="Entrypoint">The entry point of its containers.</param>
/// <param name="Command">The command of its containers.</param>
/// <param name="Healthcheck">The healthcheck of its containers; null when it has none.</param>
public sealed record ImageDetails(
    string Id,
    IReadOnlyList<string> Tags,
    IReadOnlyList<string> Digests,
    long SizeInBytes,
    string OperatingSystem,
    string Architecture,
    IReadOnlyList<string> Entrypoint,
    IReadOnlyList<string> Command,
    ContainerHealthcheck? Healthcheck)
{
    /// <summary>The environment of its containers.</summary>
    public IReadOnlyList<ContainerVariable> Environment { get; init; } = [];

    internal static ImageDetails From(ImageAnswer answer) => new(
        answer.Id ?? "",
        [.. EngineValues.Items(answer.RepoTags)],
        [.. EngineValues.Items(answer.RepoDigests)],
        answer.Size,
        answer.Os ?? "",
        answer.Architecture ?? "",
        [.. EngineValues.Items(answer.Config?.Entrypoint)],
        [.. EngineValues.Items(answer.Config?.Cmd)],
        EngineValues.Healthcheck(answer.Config?.Healthcheck))
    {
        Environment = [.. EngineValues.Items(answer.Config?.Env).Select(EngineValues.Variable)],
    };
}
