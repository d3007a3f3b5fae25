using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>Reports progress, which is shown; then as fast as it can, for a while; then the last status, and goes on in silence for as long.</summary>
[Cmdlet(VerbsCommunications.Write, "ProbeProgress")]
public sealed class WriteProbeProgressCommand : ComfyCmdlet
{
    [Parameter]
    public TimeSpan For { get; set; } = TimeSpan.FromSeconds(1);

    [Parameter]
    public long? Total { get; set; }

    [Parameter]
    public SwitchParameter Fail { get; set; }

    [Parameter]
    public string Status { get; set; } = "working";

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // The second answer comes when what was written before the first is shown.
        pipe.WriteProgress("Probing", Status, 0, Total);
        for (var i = 0; i < 2; i++)
            await pipe.AskAsync(_ => true);

        var end = Environment.TickCount64 + (long)For.TotalMilliseconds;
        for (var done = 0L; Environment.TickCount64 < end; done++)
            pipe.WriteProgress("Probing", Status, done, Total);

        pipe.WriteProgress("Probing", "last", Total ?? 0, Total);
        await Task.Delay(For, stop);
        if (Fail)
            throw new IOException("It failed.");
    }
}
