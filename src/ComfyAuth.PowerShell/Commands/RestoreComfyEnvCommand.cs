using System.Management.Automation;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Environments;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Rebuilds the .env file of a service from its template, the source of truth and the user's own values, or puts a backup back.</summary>
/// <remarks>
/// <para>
/// Values, comments and unknown keys of the user's stay as they are. What is missing is added where its section is, the
/// login's credential comes from the source of truth, and every value is quoted so that each reader gets it whole. A weak
/// SECRET_KEY is replaced by a random one.
/// </para>
/// <para>
/// Before a change the file is kept as _backups/.env.backup.yyyyMMdd_HHmmss (UTC) beside it. A result that lacks what
/// the service needs never replaces a file that has it. Where the file is right already nothing is written.
/// </para>
/// <para>
/// With -Restart a running container whose environment is no longer what its compose file and .env say is recreated and
/// waited for, and its login is asked whether it takes the source's credential. If that is not proven, the old file comes
/// back, and the container with it.
/// </para>
/// </remarks>
/// <example>
/// <code>Restore-ComfyEnv</code>
/// Rebuilds the .env files of the stack of the current folder, after a backup of each.
/// </example>
/// <example>
/// <code>Restore-ComfyEnv -Validate | Where-Object { -not $_.IsValid } | Select-Object -ExpandProperty Missing</code>
/// Lists the required variables that are missing. Changes nothing.
/// </example>
/// <example>
/// <code>Restore-ComfyEnv -FromBackup latest</code>
/// Goes back to the newest backup, and keeps the file it replaces as another one.
/// </example>
/// <example>
/// <code>Restore-ComfyEnv -Restart</code>
/// Rebuilds the files, and keeps them only if the containers are ready with them and their logins take the credential.
/// </example>
[Cmdlet(VerbsData.Restore, "ComfyEnv", DefaultParameterSetName = RebuildSet, SupportsShouldProcess = true)]
[OutputType(typeof(EnvironmentRestoreResult), typeof(LoginProof), ParameterSetName = [RebuildSet, FromBackupSet])]
[OutputType(typeof(EnvironmentValidation), ParameterSetName = [ValidateSet])]
public sealed class RestoreComfyEnvCommand : EngineCmdlet
{
    private const string RebuildSet = "Rebuild";
    private const string FromBackupSet = "FromBackup";
    private const string ValidateSet = "Validate";

    /// <summary>Only looks: one object for each file, with what is missing and what cannot be right.</summary>
    [Parameter(ParameterSetName = ValidateSet, Mandatory = true)]
    public SwitchParameter Validate { get; set; }

    /// <summary>Puts a backup back: 'latest', the name of its file, or its time stamp.</summary>
    [Parameter(ParameterSetName = FromBackupSet, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(BackupCompleter))]
    public string? FromBackup { get; set; }

    /// <summary>Restores from this file: another source of truth (JSON) in place of the stack's, or a .env file that fills in what the service's own lacks.</summary>
    [Parameter(ParameterSetName = RebuildSet)]
    [ValidateNotNullOrEmpty]
    public string? SourcePath { get; set; }

    /// <summary>Does not keep the old file.</summary>
    [Parameter(ParameterSetName = RebuildSet)]
    [Parameter(ParameterSetName = FromBackupSet)]
    public SwitchParameter NoBackup { get; set; }

    /// <summary>Also brings the environment into the container and proves the login live; if that fails, everything goes back. A container that does not run is left so.</summary>
    [Parameter(ParameterSetName = RebuildSet)]
    [Parameter(ParameterSetName = FromBackupSet)]
    public SwitchParameter Restart { get; set; }

    /// <summary>With -Restart: when to give up waiting for a container; 30 minutes unless given. A bare number is in seconds; 10m and 00:10:00 are understood too.</summary>
    [Parameter(ParameterSetName = RebuildSet)]
    [Parameter(ParameterSetName = FromBackupSet)]
    [Duration]
    public TimeSpan Timeout { get; set; } = new ContainerWaitOptions().Timeout;

    /// <inheritdoc/>
    protected override bool Changes => !Validate;

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        if (Validate)
        {
            pipe.WriteObject(EnvironmentValidator.Validate(stack, Service), enumerate: true);
            return;
        }

        var request = new EnvironmentRestoreRequest
        {
            Services = Service,
            FromBackup = FromBackup,
            SourceFile = SourcePath is null ? null : (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, SourcePath, literal: true)))[0],
            Backup = !NoBackup,
        };
        var restorer = new EnvironmentRestorer(Verifier, pipe.Redactor, logger: Logger(pipe));
        foreach (var service in EnvironmentValidator.ServicesOf(stack, Service))
        {
            try
            {
                // Planned only now: services may share a file.
                var plan = restorer.Plan(stack, service, request, stop);
                var result = Restart
                    ? await RollOutAsync(pipe, await plan.WithRestartAsync(RolloutOf(pipe, Timeout), stop), stop)
                    : await ApplyAsync(pipe, plan.Changes, async approve => new RolloutResult<EnvironmentRestoreResult>([await plan.ApplyAsync(approve, stop)], [], []));
                if (result is not null)
                    Write(pipe, result);
            }
            catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException)
            {
                // An error of one service spares the others.
                pipe.WriteError(error, CurrentInput);
            }
        }
    }
}
