namespace ComfyAuth.Validation;

/// <summary>Checks of the Docker engine itself.</summary>
internal static class EngineChecks
{
    public const string Reachable = "engine.reachable";

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Reachable,
            "Docker engine answers",
            "The engine that the stack's containers run in must answer; without it nothing is known about any of them.",
            "Start Docker, or name another engine with -DockerHost or -Context.",
            async (context, stop) =>
            {
                var version = await context.Engine.VersionAsync(stop).ConfigureAwait(false);
                return CheckOutcome.Passed($"Engine {version.Version} answers at {context.Engine.Endpoint.Address}.");
            }) { Weight = 3 },
    ];
}
