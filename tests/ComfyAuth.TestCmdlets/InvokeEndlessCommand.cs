using System.Management.Automation;
using ComfyAuth.PowerShell.Commands;

namespace ComfyAuth.TestCmdlets;

/// <summary>Works for ever, in several ways of hearing, or not hearing, that it is to stop.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Endless")]
public sealed class InvokeEndlessCommand : ComfyCmdlet
{
    [Parameter(Mandatory = true)]
    public required WorkState State { get; set; }

    [Parameter(ValueFromPipeline = true)]
    public object? InputObject { get; set; }

    /// <summary>Awaits: listens. Blocks: holds its thread, but listens. Deaf: holds its thread and does not listen. SlowToCleanUp: listens, then takes for ever to clean up. CallbackHangs: what it registered with the token never returns.</summary>
    [Parameter]
    [ValidateSet("Awaits", "Blocks", "Deaf", "SlowToCleanUp", "CallbackHangs", "Produces", "ProducesErrors")]
    public string Way { get; set; } = "Awaits";

    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        State.Started.Set();
        try
        {
            switch (Way)
            {
                case "Blocks":
                    stop.WaitHandle.WaitOne();
                    stop.ThrowIfCancellationRequested();
                    break;
                case "Deaf":
                    State.Release.Wait(CancellationToken.None);
                    break;
                case "CallbackHangs":
                    var wait = Task.Delay(Timeout.Infinite, stop);
                    stop.Register(() => State.Release.Wait(CancellationToken.None));
                    await wait;
                    break;
                case "Produces":
                    for (; ; State.Produced++)
                    {
                        stop.ThrowIfCancellationRequested();
                        pipe.WriteObject(State.Produced);
                    }

                case "ProducesErrors":
                    for (; ; State.Produced++)
                    {
                        stop.ThrowIfCancellationRequested();
                        pipe.WriteError(new IOException($"failure {State.Produced}"));
                    }

                default:
                    await Task.Delay(Timeout.Infinite, stop);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            State.Add("cancelled");
            if (Way == "SlowToCleanUp")
                State.Release.Wait(CancellationToken.None);
            throw;
        }
        finally
        {
            State.Add("ended");
            State.Ended.Set();
        }
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        State.Add("disposed");
    }
}
