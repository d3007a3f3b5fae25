using System.Management.Automation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>Gives what its paths resolve to.</summary>
[Cmdlet(VerbsDiagnostic.Resolve, "ProbePath", DefaultParameterSetName = "Path")]
[OutputType(typeof(string))]
public sealed class ResolveProbePathCommand : ComfyCmdlet
{
    [Parameter(ParameterSetName = "Path", Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    public string? Path { get; set; }

    [Parameter(ParameterSetName = "LiteralPath", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath")]
    public string? LiteralPath { get; set; }

    protected override object? CurrentInput => LiteralPath ?? Path;

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
        => pipe.WriteObject(await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, LiteralPath ?? Path, literal: LiteralPath is not null)), enumerate: true);
}
