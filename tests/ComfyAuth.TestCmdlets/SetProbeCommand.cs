using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>"Changes" each <c>name</c> it is given &amp; asks, like <see cref="GetProbeCommand"/>.</summary>
/// <remarks>
/// <para>Nothing is
/// changed.</para>
/// <para>It asks from a thread of the pool.</para>
/// <list type="bullet"><item>first</item><item><description>second</description></item></list>
/// </remarks>
/// <example>
/// <code>
/// Set-Probe a |
///     Out-Null
/// </code>
/// Changes a.
/// </example>
/// <example><code>Set-Probe b -WhatIf</code><para>Does not change b.</para></example>
[Cmdlet(VerbsCommon.Set, "Probe", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = "Silent")]
[OutputType(typeof(string))]
public sealed class SetProbeCommand : ComfyCmdlet
{
    /// <summary>What to change; see <see cref="Force"/>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Target", "CN")]
    public required string[] Name { get; set; }

    [Parameter]
    public WorkState State { get; set; } = new();

    /// <summary>Whether to ask.</summary>
    [Parameter(ParameterSetName = "Asking", Mandatory = true)]
    public SwitchParameter Ask { get; set; }

    /// <summary>Whether not to.</summary>
    [Parameter(ParameterSetName = "Asking")]
    [Parameter(ParameterSetName = "Silent")]
    public SwitchParameter Force { get; set; }

    /// <summary>How.</summary>
    [Parameter]
    public ConsoleKey? Key { get; set; }

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        pipe.Redactor.Register("hunter2");
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
