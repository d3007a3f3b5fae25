using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.TestCmdlets;

/// <summary>Writes a text to every stream.</summary>
[Cmdlet(VerbsCommunications.Write, "Probe")]
public sealed partial class WriteProbeCommand : ComfyCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public required string Text { get; set; }

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        await Task.Yield();
        pipe.Redactor.Register("hunter2");
        pipe.WriteVerbose("verbose " + Text);
        pipe.WriteDebug("debug " + Text);
        pipe.WriteWarning("warning " + Text);
        pipe.WriteInformation("information " + Text, "tag");
        pipe.WriteProgress("activity " + Text, "status " + Text);
        pipe.WriteError(new IOException("error " + Text, new IOException("inner " + Text)), "target " + Text);

        var logger = pipe.Loggers.CreateLogger<WriteProbeCommand>();
        LogDebug(logger, Text);
        LogInformation(logger, Text, new IOException("cause " + Text));
    }

    [LoggerMessage(LogLevel.Debug, "logged debug {Text}")]
    private static partial void LogDebug(ILogger logger, string text);

    [LoggerMessage(LogLevel.Information, "logged information {Text}")]
    private static partial void LogInformation(ILogger logger, string text, Exception cause);
}
