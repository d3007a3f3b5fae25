using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>"Changes" each name it is given, asking from a thread of the pool.</summary>
[Cmdlet(VerbsCommon.Set, "Probe", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(string))]
public sealed class SetProbeCommand : ComfyCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public required string[] Name { get; set; }

    [Parameter]
    public WorkState State { get; set; } = new();

    [Parameter]
    public SwitchParameter Ask { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override string Redact(string text) => text.Replace("hunter2", "<redacted>", StringComparison.Ordinal);

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        foreach (var name in Name)
        {
            await Task.Yield();
            if (!await pipe.ShouldProcessAsync(name, "Change"))
                continue;
            if (Ask && !Force && !await pipe.ShouldContinueAsync($"Change {name}?", "Sure"))
                continue;

            State.Add("changed " + name);
            pipe.WriteObject(name);
        }
    }
}
