using System.Management.Automation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>Tells the types of what it was given, as the core would meet it.</summary>
[Cmdlet(VerbsCommon.Get, "Probe")]
[OutputType(typeof(string))]
public sealed class GetProbeCommand : ComfyCmdlet
{
    [Parameter]
    [Unwrap]
    public object? Value { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(ProbeCompleter))]
    public string? Name { get; set; }

    [Parameter]
    public string? Way { get; set; }

    protected override Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        pipe.WriteObject(Value switch
        {
            object[] array => string.Join(',', array.Select(item => item.GetType().Name)),
            System.Collections.Hashtable table => string.Join(',', table.Values.Cast<object>().Select(item => item.GetType().Name)),
            _ => Value?.GetType().Name,
        });
        return Task.CompletedTask;
    }
}
