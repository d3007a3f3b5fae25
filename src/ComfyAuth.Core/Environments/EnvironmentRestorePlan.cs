using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Environments;

/// <summary>What restoring one service's <c>.env</c> file would change. Nothing has been changed yet.</summary>
public sealed class EnvironmentRestorePlan
{
    private readonly FileTransactionOptions _options;

    internal EnvironmentRestorePlan(GenAIStack stack, ServiceDefinition service, DotEnvDocument document, byte[]? oldBytes, bool wasValid, FileTransactionOptions options)
    {
        Stack = stack;
        Service = service;
        Document = document;
        OldBytes = oldBytes;
        WasValid = wasValid;
        _options = options;
    }

    /// <summary>The stack.</summary>
    public GenAIStack Stack { get; }

    /// <summary>The service whose file it is.</summary>
    public ServiceDefinition Service { get; }

    /// <summary>The file, as a full path.</summary>
    public string Path => Stack.PathOf(Service.Environment!.Path);

    /// <summary>The changes, the backup first and the deletions of old backups last; empty where the file is right already.</summary>
    public IReadOnlyList<PlannedEnvironmentChange> Changes => ChangeList;

    /// <summary>Applies the plan, once: all approved changes, or none.</summary>
    /// <param name="approve">
    /// Asked once for each change, for deletions only where the backup they make room for is made; null approves all.
    /// </param>
    /// <param name="cancellationToken">Ends the work; then nothing has changed.</param>
    /// <returns>What was done, and how the file is now.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>RestoreWouldInvalidate</c>: the file is valid and would not be any more; or what <see cref="FileTransaction"/> reports.
    /// </exception>
    public Task<EnvironmentRestoreResult> ApplyAsync(Func<PlannedEnvironmentChange, Task<bool>>? approve = null, CancellationToken cancellationToken = default) =>
        ApplyAsync(approve, proof: null, cancellationToken);

    /// <summary>
    /// Plans to go on where the file ends: to give the container its environment, and to prove the login live. Where that fails the file goes back.
    /// </summary>
    /// <param name="rollout">How.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The plan, to be applied instead of this one.</returns>
    /// <exception cref="Docker.DockerException">The engine cannot be asked.</exception>
    /// <exception cref="ComfyAuthException"><c>ContainerKeepsToken</c>: the environment of the container holds a token that nobody but its maker can change.</exception>
    public Task<RolloutPlan<EnvironmentRestoreResult>> WithRestartAsync(Rollout rollout, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var target = new RolloutTarget(Service)
        {
            Expected = FindCredential(stop) is { } credential ? new() { Token = credential.Hash, Password = credential.Password, UserName = credential.UserName } : null,
            IsWholeEnvironment = true,
        };
        return rollout.PlanAsync<EnvironmentRestoreResult>(Stack, [target], Changes, async (approve, proof, cancel) => [await ApplyAsync(approve, proof, cancel).ConfigureAwait(false)], stop);
    }

    internal List<PlannedEnvironmentChange> ChangeList { get; } = [];

    /// <summary>The document that the changes are made in.</summary>
    internal DotEnvDocument Document { get; }

    /// <summary>What the file held when it was read; null where it did not exist.</summary>
    internal byte[]? OldBytes { get; }

    internal bool WasValid { get; }

    internal string? BackupPath { get; init; }

    /// <summary>Finds what the login of the service is to take; null where it has none.</summary>
    internal Func<CancellationToken, TokenCredential?> FindCredential { get; init; } = _ => null;

    /// <summary>What the result should say beside what the validation does; null for nothing.</summary>
    internal string? Note { get; init; }

    /// <summary>What the file becomes where a backup is put back; null where it is rebuilt.</summary>
    internal byte[]? BackupBytes { get; init; }

    private async Task<EnvironmentRestoreResult> ApplyAsync(Func<PlannedEnvironmentChange, Task<bool>>? approve, IChangeProof? proof, CancellationToken cancellationToken)
    {
        List<PlannedEnvironmentChange> edits = [];
        EnvironmentValidation? validation = null;
        var approved = await ApprovedChanges.MakeAsync(Stack.Root, ChangeList, IsMoot, approve, Prepare, proof, _options, cancellationToken).ConfigureAwait(false);
        return Result(approved, edits, validation!, isRestarted: proof is not null);

        Action<FileTransaction>? Prepare(IReadOnlyList<PlannedEnvironmentChange> changes)
        {
            edits = [.. changes.Where(change => change.Apply is not null)];
            foreach (var edit in edits)
                edit.Apply!();

            var document = BackupBytes is { } backup && edits.Count > 0 ? DotEnvDocument.Parse(backup, Path) : Document;
            validation = EnvironmentValidator.Validate(Stack, Service, document);
            if (edits.Count == 0)
                return null;
            if (WasValid && !validation.IsValid)
                throw new ComfyAuthException("RestoreWouldInvalidate", $"'{Path}' is valid and would not be after this: {validation.Problems}", "Approve all changes, or leave the file as it is.");
            return transaction => Write(transaction, document.ToBytes(), changes);
        }
    }

    /// <summary>An old backup goes only for a new one.</summary>
    private static bool IsMoot(PlannedEnvironmentChange change, IReadOnlyList<PlannedEnvironmentChange> approved) =>
        change.IsDeletion && !(approved.Any(other => other.IsBackup) && approved.Any(other => other.Apply is not null));

    private void Write(FileTransaction transaction, byte[] bytes, IReadOnlyList<PlannedEnvironmentChange> approved)
    {
        transaction.Expect(Path, OldBytes);
        transaction.Write(Path, bytes, FileProtection.OwnerOnly);
        if (BackupPath is not { } backup || !approved.Any(change => change.IsBackup))
            return;

        transaction.Expect(backup, null);
        transaction.Write(backup, OldBytes!, FileProtection.OwnerOnly);
        foreach (var surplus in approved.Where(change => change.IsDeletion))
            transaction.Delete(surplus.Target);
    }

    private EnvironmentRestoreResult Result(IReadOnlyList<PlannedEnvironmentChange> approved, List<PlannedEnvironmentChange> edits, EnvironmentValidation validation, bool isRestarted)
    {
        var action = edits.Count == 0 ? (ChangeList.Count == 0 ? EnvironmentAction.None : EnvironmentAction.Declined)
            : BackupBytes is not null ? EnvironmentAction.RestoredFromBackup
            : OldBytes is null ? EnvironmentAction.Created
            : EnvironmentAction.Updated;
        var next = validation.Missing.Select(name => $"Fill in {name} in {Path}.").ToList();
        next.AddRange(validation.Invalid.Select(problem => $"Mend {problem}"));
        if (BackupBytes is not null && edits.Count > 0 && Service.Auth == AuthKind.ComfyUILogin)
            next.Add("Run Sync-ComfyToken (sync-token): the backup may hold an older credential.");
        if (edits.Count > 0 && !isRestarted && Service.ComposeFile is { } compose)
            next.Add($"Recreate the container, a restart does not reload its environment: docker compose -f {compose} up -d --force-recreate.");

        return new EnvironmentRestoreResult
        {
            Stack = Stack.Root,
            Service = Service.Name,
            Path = Path,
            Action = action,
            Backup = edits.Count > 0 && approved.Any(change => change.IsBackup) ? BackupPath : null,
            IsValid = validation.IsValid,
            Added = [.. edits.Where(edit => edit is { Variable: not null, IsAddition: true }).Select(edit => edit.Variable!)],
            Changed = [.. edits.Where(edit => edit is { Variable: not null, IsAddition: false }).Select(edit => edit.Variable!)],
            Missing = validation.Missing,
            Invalid = validation.Invalid,
            Notes = Note is null ? validation.Notes : [Note, .. validation.Notes],
            NextSteps = next,
        };
    }
}
