using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation.Steps;

/// <summary>One credential everywhere, proven on the live server.</summary>
internal sealed class AuthenticationStep : InstallStep
{
    // An installation has time, and on a busy machine an engine that has just started a container takes some.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Authentication;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Auth;

    /// <inheritdoc/>
    public override async Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop)
    {
        var service = context.Service;
        if (service.Auth != AuthKind.ComfyUILogin)
            return new($"'{service.Name}' is not behind ComfyUI-Login, so that there is no credential to set.") { IsSkipped = true };

        var request = new TokenSyncRequest { Services = [service.Name], UserName = context.Options.UserName, Password = context.Options.Password };
        var plan = new TokenSynchronizer(context.Verifier, context.Redactor, logger: context.Logger) { Keep = context.Journal.Keep }.Plan(context.Stack, request, stop);
        var rollout = await plan.WithRestartAsync(RolloutOf(context), stop).ConfigureAwait(false);
        if (rollout.Changes.Count > 0)
        {
            return new("The credential is not the same everywhere, or not proven.", [.. plan.Notes, .. plan.Observations.Where(seen => seen.State != TokenState.Match).Select(Told)])
            {
                Changes = PlannedInstallChange.Together([.. rollout.Changes.Select(change => (change.Target, change.Action))], (at, token) => ApplyAsync(at, rollout, token), target => target == service.Container && context.IsInUse(target)),
            };
        }

        return await ProveAsync(context, stop).ConfigureAwait(false);
    }

    private static Rollout RolloutOf(InstallContext context) => new(context.Engine, context.Redactor, context.Logger)
    {
        Wait = new() { Timeout = context.Options.Timeout },
        Progress = new Telling(context),
    };

    private static async Task ApplyAsync(InstallContext context, RolloutPlan<TokenSyncResult> rollout, CancellationToken stop)
    {
        // Undone in reverse: the files first, then the container is started with them.
        foreach (var container in rollout.Changes.Where(change => change.File is null))
            context.Journal.Note(InstallChangeKind.Restarted, container.Target);
        var files = rollout.Changes.Select(change => change.File).OfType<string>().Distinct().ToList();
        foreach (var file in files)
            context.NoteFolders(Path.GetDirectoryName(file)!);
        await rollout.ApplyAsync(stop: stop).ConfigureAwait(false);
    }

    /// <summary>Looks at all layers, and asks the server. That it could not be asked is no proof.</summary>
    private static async Task<StepPlan> ProveAsync(InstallContext context, CancellationToken stop)
    {
        var service = context.Service;
        var auditor = new LiveTokenAuditor(new(context.Verifier, context.Redactor), context.Engine, context.Redactor) { Patience = Patience };
        var seen = (await auditor.AuditAsync(context.Stack, [service.Name], stop).ConfigureAwait(false)).ToList();
        if (seen.Find(one => one.IsFault) is { } fault)
            throw new ComfyAuthException("TokenProofFailed", $"The login of '{service.Name}' is not as it should be. {string.Join(" ", seen.Where(one => one.IsFault).Select(Told))}", fault.Remedy);
        if (seen.Find(one => one.Layer != TokenLayer.File && one.State != TokenState.Match && !(one.Layer == TokenLayer.ContainerEnvironment && one.State == TokenState.Undetermined)) is { } unseen)
            throw new ComfyAuthException("TokenNotProven", $"Whether the login of '{service.Name}' is as it should be could not be told. {Told(unseen)}", unseen.Remedy.Length > 0 ? unseen.Remedy : "Start the container, and see that it answers at the url of the service.");
        return new("The credential is the same everywhere, and the live server takes it and no other.", [.. seen.Select(Told)]);
    }

    private static string Told(TokenObservation seen) => $"{seen.Location}: {seen.State}{(seen.Fingerprint is { } fingerprint ? $" (bcrypt:{fingerprint})" : "")}.{(seen.Evidence.Length > 0 ? $" {seen.Evidence}" : "")}";

    private sealed class Telling(InstallContext context) : IProgress<string>
    {
        public void Report(string value) => context.Tell(value, 0, null);
    }
}
