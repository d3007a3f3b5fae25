using ComfyAuth.Stacks;

namespace ComfyAuth.Compose;

/// <summary>Holds compose files against the rules that experience with generative-AI services taught.</summary>
public static class ComposeLint
{
    /// <summary>
    /// How long the first start of a container takes that installs PyTorch by itself: at best and on a slow line.
    /// </summary>
    public static (TimeSpan Shortest, TimeSpan Longest) ExpectedInstall { get; } = (TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15));

    /// <summary>The rules, in the order in which their findings come.</summary>
    public static IReadOnlyList<ComposeRule> Rules { get; } = [.. HealthcheckRules.All, .. ValueRules.All, .. MountRules.All, .. ServiceRules.All];

    /// <summary>Checks compose files.</summary>
    /// <param name="services">What the stack says about its services; which of them ask for a login decides some rules.</param>
    /// <param name="files">The files of the stack; host ports are compared across all of them.</param>
    /// <returns>The findings, rule by rule.</returns>
    public static IReadOnlyList<ComposeFinding> Run(IReadOnlyList<ServiceDefinition> services, IReadOnlyList<ComposeFile> files)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(files);
        var context = new ComposeLintContext(files, services);
        return [.. Rules.SelectMany(rule => rule.Run(context))];
    }
}
