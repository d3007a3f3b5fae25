namespace ComfyAuth.Validation;

/// <summary>Every check that is built in.</summary>
public static class CheckCatalogue
{
    /// <summary>The checks, in the order in which a report shows them.</summary>
    public static IReadOnlyList<Check> All { get; } =
    [
        .. EngineChecks.All,
        .. ComposeChecks.All,
        .. ContainerChecks.All,
        .. ServiceChecks.All,
        .. AuthChecks.All,
        .. TokenChecks.All,
        .. ContentChecks.All,
        .. NotebookChecks.All,
        .. PythonChecks.All,
        .. ApiChecks.All,
        .. GitChecks.All,
        .. EnvironmentChecks.All,
        .. SecretsChecks.All,
        .. ModelChecks.All,
        .. GpuChecks.All,
        .. HardeningChecks.All,
    ];
}
