using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>What synchronising a stack would change. Nothing has been changed yet.</summary>
public sealed class TokenSyncPlan
{
    private readonly TokenSynchronizer _synchronizer;

    internal TokenSyncPlan(TokenSynchronizer synchronizer, GenAIStack stack, IReadOnlyList<CredentialPlan> credentials)
    {
        _synchronizer = synchronizer;
        Stack = stack;
        Credentials = credentials;
    }

    /// <summary>The stack.</summary>
    public GenAIStack Stack { get; }

    /// <summary>The changes, each source of truth before its places; empty where everything agrees.</summary>
    public IReadOnlyList<PlannedTokenChange> Changes => [.. Credentials.SelectMany(credential => credential.Changes)];

    /// <summary>What a person should know before agreeing: which credential is made true, and what it replaces.</summary>
    public IReadOnlyList<string> Notes => [.. Credentials.Select(credential => credential.Note).Where(note => note.Length > 0)];

    /// <summary>
    /// What stands at each place, compared with its source of truth as <see cref="TokenAuditor.Audit"/> compares it: as it
    /// was planned from, or, once the plan is applied, as it was read back.
    /// </summary>
    public IReadOnlyList<TokenObservation> Observations => [.. Credentials.Select(credential => credential.ReadBack ?? credential.Survey).SelectMany(survey => survey.Observe(survey.Truth))];

    /// <summary>Applies the plan, once: all approved changes, or none.</summary>
    /// <param name="approve">Asked once for each change; null approves all. What depends on a declined source is not asked for.</param>
    /// <param name="cancellationToken">Ends the work; then nothing has changed.</param>
    /// <returns>One record for each source and place, as it is afterwards.</returns>
    /// <exception cref="ComfyAuthException">
    /// What <see cref="FileTransaction"/> reports; then nothing has changed.
    /// </exception>
    public Task<IReadOnlyList<TokenSyncResult>> ApplyAsync(Func<PlannedTokenChange, Task<bool>>? approve = null, CancellationToken cancellationToken = default) =>
        _synchronizer.ApplyAsync(this, approve, proof: null, cancellationToken);

    /// <summary>
    /// Plans to go on where the files end: to give the containers the token, and to prove it live. Where that fails the files go back.
    /// </summary>
    /// <param name="rollout">How.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The plan, to be applied instead of this one.</returns>
    /// <exception cref="Docker.DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException"><c>ContainerKeepsToken</c>: the environment of a container holds a token that nobody but its maker can change.</exception>
    public Task<RolloutPlan<TokenSyncResult>> WithRestartAsync(Rollout rollout, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return rollout.PlanAsync(
            Stack,
            [.. Credentials.SelectMany(credential => credential.Survey.Services.Select(credential.TargetOf))],
            Changes,
            (approve, proof, cancel) => _synchronizer.ApplyAsync(this, approve, proof, cancel),
            stop);
    }

    internal IReadOnlyList<CredentialPlan> Credentials { get; }
}

/// <summary>The part of a plan that concerns one credential.</summary>
internal sealed class CredentialPlan
{
    public required CredentialSurvey Survey { get; init; }

    /// <summary>What the disk holds after the plan was applied; null before, and where nothing was written.</summary>
    public CredentialSurvey? ReadBack { get; set; }

    /// <summary>The credential to make true.</summary>
    public required TokenCredential Credential { get; init; }

    public required string Note { get; init; }

    /// <summary>Whether it is one that was in use, perhaps in a container only.</summary>
    public bool IsAdopted { get; init; }

    public required IReadOnlyList<TokenObservation> Observations { get; init; }

    public List<PlannedTokenChange> Changes { get; } = [];

    /// <summary>What a service is to accept, and what no more, once the plan is applied.</summary>
    public RolloutTarget TargetOf(ServiceDefinition service)
    {
        BcryptHash[] old = [.. Survey.HashesInUse.Select(use => use.Hash).Prepend(Survey.Source?.Hash ?? default).Where(hash => !hash.IsDefault && hash != Credential.Hash).Distinct()];
        return new(service)
        {
            Expected = new() { Token = Credential.Hash, Password = Credential.Password, UserName = Credential.UserName, OldToken = old is [var first, ..] ? first : null },
            OldTokens = old,
            IsNew = !IsAdopted && Survey.HashesInUse.All(use => use.Hash != Credential.Hash),
        };
    }
}
