using System.Management.Automation;
using System.Security;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Makes every place of a ComfyUI-Login credential agree with its source of truth, or shows where they do not.</summary>
/// <remarks>
/// <para>
/// ComfyUI-Login's bearer token is the bcrypt hash of the web password. A stack holds it in several files: .env files,
/// token files and the login's own PASSWORD file. The source of truth is .secrets/comfyui_auth_tokens.conf, unless the
/// stack file names another. Each place is judged by what its reader gets: Docker Compose v2, for one, cuts a hash that
/// is not in single quotes.
/// </para>
/// <para>
/// Only what differs is written, all of it or nothing. A second run writes nothing. A new secret is made only with
/// -Rotate, or where there is no source and the places do not agree on one hash.
/// </para>
/// <para>
/// The files can all agree while the stack still runs with another token. -Live follows it to the end: the environment that
/// the container was made with, login/PASSWORD inside it, running or not, and what the live server accepts and refuses.
/// Layer says where a place is. Some faults need the container recreated, others only restarted: Remedy says which. What
/// cannot be looked at is Unreadable, which is no fault.
/// </para>
/// <para>
/// With -Restart it does not end at the files. While the new ones are in place and not kept yet, each running container is
/// restarted, or recreated where its environment holds an old value; one that takes the token already is left alone. It is
/// waited for, and the login is asked: no token, a wrong one and the old one refused, the new one taken by API, websocket
/// and web login. If that is not proven, the old files come back exactly as they were, the containers are restarted with
/// them, and the error TokenProofFailed says what was proven and what not. Killed in the middle, the next run puts the
/// files back.
/// </para>
/// <para>
/// No secret is shown. A hash shows as the first 8 hexadecimal digits of its SHA-256, the same in every report. A password
/// shows as 8 digits that are comparable inside one PowerShell session only.
/// </para>
/// </remarks>
/// <example>
/// <code>Sync-ComfyToken -Audit | Where-Object IsFault</code>
/// Shows where the stack of the current folder disagrees with its source of truth, and why. Changes nothing.
/// </example>
/// <example>
/// <code>Get-ChildItem D:\stacks -Directory | Sync-ComfyToken -WhatIf</code>
/// Shows, one line each, what would be changed in several stacks.
/// </example>
/// <example>
/// <code>Sync-ComfyToken -Credential (Get-Credential admin)</code>
/// Makes the hash of the given password the token, everywhere.
/// </example>
/// <example>
/// <code>if (-not (Sync-ComfyToken -Validate).IsValid) { Sync-ComfyToken }</code>
/// Synchronises only where something is wrong or not known.
/// </example>
/// <example>
/// <code>Sync-ComfyToken -Audit -Live | Where-Object IsFault | Select-Object Layer, Location, State, Remedy</code>
/// Shows where on its way from the files to the running server the token is another one, and what brings the right one there.
/// </example>
/// <example>
/// <code>Sync-ComfyToken -Adopt 'comfyui-qwen:/workspace/ComfyUI/login/PASSWORD'</code>
/// Gets a lost source of truth back out of the container, which need not run, and writes it everywhere.
/// </example>
/// <example>
/// <code>Sync-ComfyToken -Rotate -Restart -Verbose</code>
/// Makes a new credential, brings it into the containers, and keeps it only if their logins take it and refuse the old one.
/// The objects that come last are the proofs.
/// </example>
[Cmdlet(VerbsData.Sync, "ComfyToken", DefaultParameterSetName = SynchronizeSet, SupportsShouldProcess = true)]
[OutputType(typeof(TokenSyncResult), typeof(LoginProof), ParameterSetName = [SynchronizeSet, RotateSet, AdoptSet, CredentialSet, SourceTokenSet])]
[OutputType(typeof(TokenObservation), ParameterSetName = [AuditSet])]
[OutputType(typeof(TokenValidation), ParameterSetName = [ValidateSet])]
public sealed class SyncComfyTokenCommand : EngineCmdlet
{
    private const string SynchronizeSet = "Synchronize";
    private const string AuditSet = "Audit";
    private const string ValidateSet = "Validate";
    private const string RotateSet = "Rotate";
    private const string AdoptSet = "Adopt";
    private const string CredentialSet = "Credential";
    private const string SourceTokenSet = "SourceToken";

    private readonly List<TokenObservation> _observations = [];
    private string? _report;

    /// <summary>Only looks: one object for each place, the source of truth first.</summary>
    [Parameter(ParameterSetName = AuditSet, Mandatory = true)]
    public SwitchParameter Audit { get; set; }

    /// <summary>Only looks: one object for each service. IsValid is null where something could not be checked.</summary>
    [Parameter(ParameterSetName = ValidateSet, Mandatory = true)]
    public SwitchParameter Validate { get; set; }

    /// <summary>Makes a new random password and its hash.</summary>
    [Parameter(ParameterSetName = RotateSet, Mandatory = true)]
    public SwitchParameter Rotate { get; set; }

    /// <summary>Also looks into the containers and asks the live servers. With -Adopt: the hash may be one that stands in a container.</summary>
    [Parameter(ParameterSetName = AuditSet)]
    [Parameter(ParameterSetName = ValidateSet)]
    [Parameter(ParameterSetName = AdoptSet)]
    public SwitchParameter Live { get; set; }

    /// <summary>
    /// Makes a hash that is in use the source of truth: its place (path, or path#VARIABLE) or its fingerprint. A place in a container is
    /// named container:/path, as by -Audit -Live; with -Live a fingerprint is looked for in containers too.
    /// </summary>
    [Parameter(ParameterSetName = AdoptSet, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? Adopt { get; set; }

    /// <summary>The user name and the password of the web login; the hash of the password becomes the token.</summary>
    [Parameter(ParameterSetName = CredentialSet, Mandatory = true)]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>A bcrypt hash that becomes the token as it is, or a password whose hash does.</summary>
    [Parameter(ParameterSetName = SourceTokenSet, Mandatory = true)]
    public SecureString? SourceToken { get; set; }

    /// <summary>Also brings the token into the containers and proves it live; if that fails, everything goes back. A container that does not run is left so.</summary>
    [Parameter(ParameterSetName = SynchronizeSet)]
    [Parameter(ParameterSetName = RotateSet)]
    [Parameter(ParameterSetName = AdoptSet)]
    [Parameter(ParameterSetName = CredentialSet)]
    [Parameter(ParameterSetName = SourceTokenSet)]
    public SwitchParameter Restart { get; set; }

    /// <summary>With -Restart: when to give up waiting for a container; 30 minutes unless given. A bare number is in seconds; 10m and 00:10:00 are understood too.</summary>
    [Parameter(ParameterSetName = SynchronizeSet)]
    [Parameter(ParameterSetName = RotateSet)]
    [Parameter(ParameterSetName = AdoptSet)]
    [Parameter(ParameterSetName = CredentialSet)]
    [Parameter(ParameterSetName = SourceTokenSet)]
    [Duration]
    public TimeSpan Timeout { get; set; } = new ContainerWaitOptions().Timeout;

    /// <summary>Also writes the audit, as it is afterwards, to this file; its extension (.json or .md) chooses the form.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ReportPath { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => !Audit && !Validate;

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        if (ReportPath is not null)
        {
            _report ??= (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, ReportPath, literal: true)))[0];
            await TokenReportWriter.EnsureReplaceableAsync(_report, stop);
        }

        var auditor = new TokenAuditor(Verifier, pipe.Redactor);
        if (Live && (Audit || Validate))
        {
            var seen = await new LiveTokenAuditor(auditor, Connect(), pipe.Redactor).LookAsync(stack, Service, stop);
            _observations.AddRange(seen.Observations);
            if (Audit)
                pipe.WriteObject(seen.Observations, enumerate: true);
            else
                pipe.WriteObject(seen.Validations, enumerate: true);
        }
        else if (Audit)
        {
            var seen = auditor.Audit(stack, Service, stop);
            _observations.AddRange(seen);
            pipe.WriteObject(seen, enumerate: true);
        }
        else if (Validate)
        {
            if (ReportPath is not null)
                _observations.AddRange(auditor.Audit(stack, Service, stop));
            pipe.WriteObject(auditor.Validate(stack, Service, stop), enumerate: true);
        }
        else
        {
            await SynchronizeAsync(pipe, stack, auditor, stop);
        }
    }

    /// <inheritdoc/>
    protected override async Task EndAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // A report without an observation would say that everything agrees.
        if (_report is null || _observations.Count == 0)
            return;

        if (await pipe.ShouldProcessAsync(_report, "Write the report"))
            await TokenReportWriter.WriteAsync(TokenReport.Of(_observations, DateTimeOffset.UtcNow), _report, stop);
    }

    private async Task SynchronizeAsync(CmdletPipe pipe, GenAIStack stack, TokenAuditor auditor, CancellationToken stop)
    {
        // With its containers each credential is a change of its own, so that one that is not proven spares the others.
        var request = await RequestAsync(pipe, stack, stop);
        foreach (var one in Restart ? request.ForEachCredential(stack) : [request])
        {
            try
            {
                await SynchronizeAsync(pipe, stack, one, stop);
            }
            catch (ComfyAuthException error)
            {
                // A stack that could not be synchronised is what a reader of the report must not miss.
                if (ReportPath is not null)
                    _observations.AddRange(auditor.AuditAfterError(stack, one.Services, stop));
                pipe.WriteError(error, CurrentInput);
            }
        }
    }

    private async Task SynchronizeAsync(CmdletPipe pipe, GenAIStack stack, TokenSyncRequest request, CancellationToken stop)
    {
        var plan = new TokenSynchronizer(Verifier, pipe.Redactor, logger: Logger(pipe)).Plan(stack, request, stop);
        var result = Restart
            ? await RollOutAsync(pipe, await plan.WithRestartAsync(RolloutOf(pipe, Timeout), stop), stop)
            : await ApplyAsync(pipe, plan.Changes, async approve => new RolloutResult<TokenSyncResult>(await plan.ApplyAsync(approve, stop), [], []));
        _observations.AddRange(plan.Observations);
        if (result is null)
            return;

        if (result.Results.Any(place => place is { IsSource: true, Action: TokenAction.Added or TokenAction.Updated }))
        {
            foreach (var note in plan.Notes)
                pipe.WriteWarning(note);
        }

        Write(pipe, result);
    }

    private async Task<TokenSyncRequest> RequestAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop) => new()
    {
        Services = Service,
        Rotate = Rotate,
        Adopt = Adopt,
        InContainers = Adopt is not null && (Live || LiveTokenAuditor.IsInContainer(stack, Adopt))
            ? await new LiveTokenAuditor(new(Verifier, pipe.Redactor), Connect(), pipe.Redactor).FindHashesAsync(stack, Service, Adopt, stop)
            : [],
        UserName = Credential?.UserName,
        Password = Credential is null ? null : SecureText.Of(Credential.Password, "The password"),
        SourceToken = SourceToken is null ? null : SecureText.Of(SourceToken, "The source token"),
    };
}
