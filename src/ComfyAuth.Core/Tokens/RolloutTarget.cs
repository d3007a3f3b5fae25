using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>A service that is to work with what stands in changed files.</summary>
/// <param name="Service">The service.</param>
internal sealed record RolloutTarget(ServiceDefinition Service)
{
    /// <summary>What its login is to take; null where it has none.</summary>
    public LoginExpectation? Expected { get; init; }

    /// <summary>Tokens that nobody is to have any more.</summary>
    public IReadOnlyList<BcryptHash> OldTokens { get; init; } = [];

    /// <summary>Whether the token stood nowhere before, so that the service cannot have it yet.</summary>
    public bool IsNew { get; init; }

    /// <summary>Whether the container is to get every variable that changed, not the credential alone.</summary>
    public bool IsWholeEnvironment { get; init; }

    /// <summary>The variables of a container that hold another credential than the expected one.</summary>
    public IEnumerable<string> Held(ContainerDetails container)
    {
        var roles = Service.TokenLocations.Where(location => location.Variable is not null).GroupBy(location => location.Variable!).ToDictionary(group => group.Key, group => group.First().Role);
        foreach (var name in DefaultLayout.HashVariables.Concat(DefaultLayout.PasswordVariables))
            roles.TryAdd(name, DefaultLayout.RoleOf(name));
        return container.Environment
            .Where(variable => variable.Reveal() is { Length: > 0 } value && (OldTokens.Any(old => old.Reveal() == value) || (roles.TryGetValue(variable.Name, out var role) && IsOther(role, value))))
            .Select(variable => variable.Name);
    }

    /// <summary>Whether a container lacks what only a new one can bring it.</summary>
    public bool NeedsRecreation(ContainerChangePlan plan)
    {
        var variables = plan.Drift.Where(drift => drift.Kind == ContainerDriftKind.Variable).Select(drift => drift.Name);
        return IsWholeEnvironment ? variables.Any() : plan.Container is { } container && Held(container).Intersect(variables).Any();
    }

    private bool IsOther(TokenRole role, string value) => role switch
    {
        TokenRole.Hash => Expected?.Token is { IsDefault: false } token && token.Reveal() != value,
        TokenRole.Password => Expected?.Password is { } password && password.Reveal() != value,
        _ => false,
    };
}
