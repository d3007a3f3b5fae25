using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>Writes its input, then fails with it, in the work or at the end.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Failure")]
public sealed class InvokeFailureCommand : ComfyCmdlet
{
    [Parameter(ValueFromPipeline = true)]
    public object? InputObject { get; set; }

    [Parameter]
    public Exception? Exception { get; set; }

    [Parameter]
    public string? Code { get; set; }

    [Parameter]
    public string Message { get; set; } = "It failed.";

    [Parameter]
    public string Remedy { get; set; } = "";

    [Parameter]
    public SwitchParameter AtOnce { get; set; }

    [Parameter]
    public SwitchParameter AtEnd { get; set; }

    protected override object? CurrentInput => InputObject;

    // Not async, so that with -AtOnce it throws instead of giving a failed task.
    protected override Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        pipe.Redactor.Register("hunter2");
        return AtEnd ? WriteAsync(pipe) : AtOnce ? throw Failure() : FailAsync(pipe);
    }

    protected override Task EndAsync(CmdletPipe pipe, CancellationToken stop)
        => AtEnd ? FailAsync(pipe) : Task.CompletedTask;

    private async Task WriteAsync(CmdletPipe pipe)
    {
        await Task.Yield();
        pipe.WriteObject(InputObject);
    }

    private async Task FailAsync(CmdletPipe pipe)
    {
        await WriteAsync(pipe);
        throw Failure();
    }

    private Exception Failure() => Code is not null ? new ComfyAuthException(Code, Message, Remedy, Exception) : Exception!;
}
