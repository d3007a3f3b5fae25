using System.Management.Automation;
using ComfyAuth.Installation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Removes what Install-ComfyQwen has made: container, network, image and files.</summary>
/// <remarks>
/// <para>
/// Only what installations of this stack have noted in their journal is removed, the last first. What you have changed since stays, as do
/// folders that are not empty, models, pictures and volumes. -RemoveData takes models, pictures and volumes too, and what is in the folders
/// inputs, outputs and user as they were laid out. No link and no mount is followed. What was left can be removed by a later run.
/// </para>
/// <para>
/// Where there is no journal, because the stack was installed by hand, only the container and the networks of its compose project are
/// removed. The stack's .comfyauth folder, with the reports of installations, stays.
/// </para>
/// </remarks>
/// <example>
/// <code>Uninstall-ComfyQwen D:\stacks\genai -WhatIf</code>
/// Names what would be removed. Changes nothing.
/// </example>
/// <example>
/// <code>Uninstall-ComfyQwen D:\stacks\genai -Confirm:$false | Where-Object Outcome -NE Undone</code>
/// Removes it without asking, and shows what was left and why. Models and pictures stay.
/// </example>
/// <example>
/// <code>Uninstall-ComfyQwen -RemoveData -Force -Confirm:$false</code>
/// Removes the installation of the current folder with its models and pictures.
/// </example>
[Cmdlet(VerbsLifecycle.Uninstall, "ComfyQwen", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(UndoneChange))]
public sealed class UninstallComfyQwenCommand : EngineCmdlet
{
    /// <summary>The service whose installation is removed. Without it the first one of the stack that is behind ComfyUI-Login.</summary>
    [Parameter]
    [ValidateCount(1, 1)]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public override string[]? Service { get; set; }

    /// <summary>Also removes the models, pictures and volumes that installations have made.</summary>
    [Parameter]
    public SwitchParameter RemoveData { get; set; }

    /// <summary>Does not ask once more before data are removed.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => true;

    /// <inheritdoc/>
    protected override GenAIStack Find(string folder) => Uninstaller.StackAt(folder);

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        var uninstaller = new Uninstaller(Connect(), pipe.Redactor, Verifier, Logger(pipe)) { RemoveData = RemoveData };
        if (await pipe.AskAsync(WhatIf.IsOn))
        {
            foreach (var change in await uninstaller.PlanAsync(stack, Service?[0], stop))
                await pipe.ShouldProcessAsync(change.Target, change.Action);
            return;
        }

        if (RemoveData && !Force && !await pipe.ShouldContinueAsync($"The models, pictures and volumes of '{stack.Root}' cannot be brought back. Remove them too?", "Remove data"))
            return;

        var isAnythingThere = false;
        await foreach (var undone in uninstaller.RunAsync(stack, Service?[0], change => pipe.ShouldProcessAsync(change.Target, change.Action), stop))
        {
            isAnythingThere = true;
            pipe.WriteObject(undone);
            if (undone.Outcome == UndoOutcome.Failed)
                pipe.WriteError(new ComfyAuthException("InstallNotRemoved", $"{undone.Kind} {undone.Target} could not be removed: {undone.Message}", undone.Remedy), undone.Target);
        }

        if (!isAnythingThere)
            pipe.WriteWarning($"Nothing is installed in '{stack.Root}'.");
    }
}
