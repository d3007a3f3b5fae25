using System.Management.Automation;
using System.Security;
using ComfyAuth.Installation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Installs ComfyUI with ComfyUI-Login and the Qwen image-edit models in Docker, step by step, and proves each step.</summary>
/// <remarks>
/// <para>
/// The steps are Prerequisites, Container, Login, Models, Authentication, TestImage and Report. What is as it should be already is left
/// alone, so that a second run changes nothing. Files of yours are never overwritten. The container is never started without a login.
/// </para>
/// <para>
/// Each step comes out as it ends, the report last; it is also written as JSON and Markdown. When a step fails, what this run changed is
/// taken back, in reverse, and the error has the step's code; with -NoRollback it stays. Models that were downloaded are kept as unfinished
/// downloads, which the next run finishes without a transfer. A run that was interrupted, whether by Ctrl+C, a crash or a power cut, is
/// gone on with by the next one.
/// </para>
/// <para>
/// The models are public and need no token. HF_ENDPOINT names a mirror. Where everything is there already no network is needed.
/// </para>
/// <para>
/// No secret is shown. The credential is made where there is none, and lies in .secrets/comfyui_auth_tokens.conf for its owner only.
/// </para>
/// </remarks>
/// <example>
/// <code>Install-ComfyQwen D:\stacks\genai</code>
/// Installs into that folder, which need not exist yet.
/// </example>
/// <example>
/// <code>Install-ComfyQwen D:\stacks\genai -WhatIf</code>
/// Tells, one line each, what would be changed. Changes nothing.
/// </example>
/// <example>
/// <code>Install-ComfyQwen -Cpu -Port 8200 -Skip Models, Test -Credential (Get-Credential admin)</code>
/// Installs into the current folder for a machine without a GPU, with a password of your own, and leaves models and test picture for later.
/// </example>
/// <example>
/// <code>$report = Install-ComfyQwen -SkipDocker -ErrorAction Stop | Select-Object -Last 1; $report.Outcome</code>
/// Completes a container that runs already. An error ends the script; otherwise it is Installed or Unchanged.
/// </example>
[Cmdlet(VerbsLifecycle.Install, "ComfyQwen", SupportsShouldProcess = true)]
[OutputType(typeof(StepResult), typeof(InstallReport))]
public sealed class InstallComfyQwenCommand : EngineCmdlet
{
    private readonly InstallOptions _defaults = new();

    /// <summary>The service to install. Without it the first one of the stack that is behind ComfyUI-Login.</summary>
    [Parameter]
    [ValidateCount(1, 1)]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public override string[]? Service { get; set; }

    /// <summary>What is left out: Docker (files, image and container), Models, Auth, Test.</summary>
    [Parameter]
    public InstallParts Skip { get; set; }

    /// <summary>Uses the container that runs already: neither files nor image nor container are made. The same as -Skip Docker.</summary>
    [Parameter]
    public SwitchParameter SkipDocker { get; set; }

    /// <summary>Leaves out the models. The same as -Skip Models.</summary>
    [Parameter]
    public SwitchParameter SkipModels { get; set; }

    /// <summary>Neither makes nor writes nor proves a credential. The same as -Skip Auth.</summary>
    [Parameter]
    public SwitchParameter SkipAuth { get; set; }

    /// <summary>Makes no test picture. The same as -Skip Test.</summary>
    [Parameter]
    public SwitchParameter SkipTest { get; set; }

    /// <summary>Installs for the processor: no GPU is asked for.</summary>
    [Parameter]
    public SwitchParameter Cpu { get; set; }

    /// <summary>The port of this machine, for files that are made; without it that of the stack file, or 8188.</summary>
    [Parameter]
    [ValidateRange(1, 65535)]
    public int? Port { get; set; }

    /// <summary>The user name and the password of the web login; the hash of the password becomes the token. Without it the one in use stays, or one is made.</summary>
    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>The token of the model hub. Without it, as for the hub's own programs: HF_TOKEN, .secrets/.env.huggingface, the hub's token file. The three models need none.</summary>
    [Parameter]
    public SecureString? HuggingFaceToken { get; set; }

    /// <summary>Further custom nodes: addresses of git repositories, with @ and a commit behind where a certain one is wanted.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? CustomNode { get; set; }

    /// <summary>The most that downloads may take together, in bytes a second, such as 20MB. Without it as much as there is.</summary>
    [Parameter]
    [ValidateRange(1024, long.MaxValue)]
    public long? BytesPerSecond { get; set; }

    /// <summary>When to give up waiting for the container; 30 minutes unless given. A bare number is in seconds; 10m and 00:10:00 are understood too.</summary>
    [Parameter]
    [Duration]
    public TimeSpan? Timeout { get; set; }

    /// <summary>The folder that the report is written to; without it .comfyauth/reports of the stack.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ReportDirectory { get; set; }

    /// <summary>Leaves what was done when a step fails, so that the next run goes on with it.</summary>
    [Parameter]
    public SwitchParameter NoRollback { get; set; }

    /// <summary>Does not ask before a container that runs is interrupted.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => true;

    private InstallParts Skipped => Skip
        | (SkipDocker ? InstallParts.Docker : 0)
        | (SkipModels ? InstallParts.Models : 0)
        | (SkipAuth ? InstallParts.Auth : 0)
        | (SkipTest ? InstallParts.Test : 0);

    /// <inheritdoc/>
    protected override GenAIStack Find(string folder) => Installer.StackAt(folder);

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Resolve(PSCmdlet cmdlet, string? path, bool literal) =>
        FileSystemPath.Resolve(cmdlet, path, literal || (path is not null && !WildcardPattern.ContainsWildcardCharacters(path)));

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        var installer = new Installer(Connect(), new ComposeDeployer(Connect(), pipe.Redactor, Logger(pipe)), pipe.Redactor, Verifier, Logger(pipe));
        var options = await OptionsAsync(pipe);
        if (await pipe.AskAsync(WhatIf.IsOn))
            await installer.PlanAsync(stack, options, change => pipe.ShouldProcessAsync(change.Target, change.Action), step => Tell(pipe, step), stop);
        else
            await InstallAsync(pipe, installer, stack, options, stop);
    }

    private static void Tell(CmdletPipe pipe, StepResult step)
    {
        if (step.Status == StepStatus.Failed)
            pipe.WriteWarning($"{step.Step} would fail: {step.Message} {step.Remedy}");
        else
            pipe.WriteVerbose($"{step.Step}: {step.Message}");
    }

    private async Task InstallAsync(CmdletPipe pipe, Installer installer, GenAIStack stack, InstallOptions options, CancellationToken stop)
    {
        var errors = new List<ComfyAuthException>();
        async Task<bool> ApproveAsync(PlannedChange change)
        {
            try
            {
                return await pipe.ShouldProcessAsync(change.Target, change.Action)
                    && (Force || change is not PlannedInstallChange { Interrupts: true } || await pipe.ShouldContinueAsync($"{change.Target} runs, and is interrupted: {change.Action}. Go on?", "Interrupt a running container"));
            }
            catch (ComfyAuthException error) when (error.Code == "ConfirmationImpossible")
            {
                // Nobody has agreed; what was done before stays, as after a no.
                errors.Add(error);
                return false;
            }
        }

        var report = await installer.RunAsync(stack, options, ApproveAsync, step => pipe.WriteObject(step), new Progress(pipe, $"Installing {stack.Root}"), stop);
        pipe.WriteObject(report);

        // An error may end the pipeline, and nothing may be cut short by that: neither the taking back nor the report.
        foreach (var line in report.Outcome == InstallOutcome.RollbackIncomplete ? report.Kept : [])
            pipe.WriteWarning($"Not taken back: {line}");
        foreach (var step in report.Steps.Where(step => step.Status == StepStatus.Failed))
            errors.Add(new(step.ErrorCode, $"{step.Step}: {step.Message}", step.Remedy));
        foreach (var error in errors)
            pipe.WriteError(error, stack.Root);
    }

    private async Task<InstallOptions> OptionsAsync(CmdletPipe pipe) => _defaults with
    {
        Service = Service?[0],
        Skip = Skipped,
        Cpu = Cpu,
        NoRollback = NoRollback,
        Port = Port,
        UserName = Credential?.UserName,
        Password = Credential is null ? null : SecureText.Of(Credential.Password, "The password"),
        HuggingFaceToken = HuggingFaceToken is null ? null : SecureText.Of(HuggingFaceToken, "The token of the model hub"),
        CustomNodes = CustomNode ?? [],
        BytesPerSecond = BytesPerSecond,
        Timeout = Timeout ?? _defaults.Timeout,
        ReportDirectory = ReportDirectory is null ? null : (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, ReportDirectory, literal: true)))[0],
    };

    /// <summary>Shows the installation, and below it the step that is under way.</summary>
    private sealed class Progress(CmdletPipe pipe, string activity) : IProgress<InstallProgress>
    {
        public void Report(InstallProgress value) => pipe.WriteProgress(new(activity, $"Step {value.Number} of {value.Count}: {value.Step}", value.Number - 1, value.Count)
        {
            Part = new(value.Step.ToString(), value.Status, value.Done, value.Total) { TimeLeft = value.TimeLeft },
        });
    }
}
