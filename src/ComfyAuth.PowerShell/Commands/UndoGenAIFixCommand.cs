using System.Management.Automation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Puts back the files that Test-GenAIEcosystem -Fix replaced.</summary>
/// <remarks>
/// Each -Fix keeps what it replaces in .comfyauth/repairs, for the owner only; the last ten are kept. A file that somebody
/// has changed since is not overwritten: then nothing is put back, and the error names it. Who may read a file is not
/// put back.
/// </remarks>
/// <example>
/// <code>Undo-GenAIFix -WhatIf</code>
/// Names the files that the last -Fix of the stack of the current folder changed. Changes nothing.
/// </example>
/// <example>
/// <code>Undo-GenAIFix -Path D:\stacks\genai -Id 20261122-181500</code>
/// Undoes one -Fix, named by the time at which it was made, in UTC.
/// </example>
[Cmdlet(VerbsCommon.Undo, "GenAIFix", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(FileInfo))]
public sealed class UndoGenAIFixCommand : StackCmdlet
{
    /// <summary>Which -Fix is undone: its time, as yyyyMMdd-HHmmss. Without it the last one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RepairCompleter))]
    public string? Id { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => true;

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        var undo = RepairUndo.Plan(stack, Id);
        if (await ApplyAsync(pipe, undo.Changes, approve => undo.ApplyAsync(approve, stop)) is { } undone)
            pipe.WriteObject(undone.Select(path => new FileInfo(path)), enumerate: true);
    }
}
