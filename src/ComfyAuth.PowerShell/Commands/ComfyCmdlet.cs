using System.Management.Automation;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>
/// A cmdlet whose work is asynchronous. The work runs off the pipeline thread and talks to PowerShell through a
/// <see cref="CmdletPipe"/>, which the pipeline thread empties; so Ctrl+C is heard at once, whatever the work waits for.
/// </summary>
/// <remarks>
/// An exception out of the work becomes a non-terminating error of that one input. An exception out of PowerShell
/// (a stopped pipeline, <c>-ErrorAction Stop</c>, <c>Select-Object -First</c>) cancels the work, waits a bounded time
/// for it to clean up, and goes on unchanged.
/// </remarks>
public abstract class ComfyCmdlet : PSCmdlet, IDisposable
{
    // Not disposed: work that outlives the cmdlet still looks at them, and they hold nothing but memory.
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _stop = new();
    private CmdletPipe? _pipe;

    /// <summary>
    /// How long it waits for work that is to stop: Ctrl+C must end within two seconds, and what has not cleaned up by then goes on alone
    /// in the background. The tests, which run on busy machines too, give it longer.
    /// </summary>
    internal static TimeSpan CleanUpTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>What the user gave that is being worked on: the target of an error of the work.</summary>
    protected virtual object? CurrentInput => null;

    /// <summary>Does the work for one input.</summary>
    /// <param name="pipe">The way to PowerShell; usable from any thread.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The work.</returns>
    protected abstract Task ProcessAsync(CmdletPipe pipe, CancellationToken stop);

    /// <summary>Does what remains after the last input; nothing by default.</summary>
    /// <param name="pipe">The way to PowerShell; usable from any thread.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The work.</returns>
    protected virtual Task EndAsync(CmdletPipe pipe, CancellationToken stop) => Task.CompletedTask;

    /// <inheritdoc/>
    protected sealed override void BeginProcessing() => _pipe = new CmdletPipe(this, _ended.Token);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => Run(ProcessAsync);

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => Run(EndAsync);

    /// <inheritdoc/>
    protected sealed override void StopProcessing() => Stop();

    /// <summary>Cancels what may still run and releases what the cmdlet holds; PowerShell calls it in every case.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the cmdlet holds. Work that outlived its time to clean up may still be running.</summary>
    /// <param name="disposing">Whether it is called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        // Work that is still running has been cancelled by whatever made Run return.
        if (disposing)
            _ended.Cancel();
    }

    private void Run(Func<CmdletPipe, CancellationToken, Task> stage)
    {
        if (_ended.IsCancellationRequested)
            throw new PipelineStoppedException();

        // A thread of its own: the first, often blocking, part of the work must not wait for a starved thread pool.
        var work = Task.Factory.StartNew(
            () => stage(_pipe!, _stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default).Unwrap();
        try
        {
            _pipe!.Pump(work);
        }
        catch (Exception exception)
        {
            Stop();
            Task.WaitAny([work], CleanUpTime);
            if (exception is OperationCanceledException)
                throw new PipelineStoppedException();
            throw;
        }
        finally
        {
            _pipe!.CompleteProgress();
        }

        try
        {
            work.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (Exception exception) when (exception is not PipelineStoppedException)
        {
            WriteError(ErrorRecords.Create(exception, CurrentInput, _pipe.Redactor));
        }
    }

    private void Stop()
    {
        if (_ended.IsCancellationRequested)
            return;

        _ended.Cancel();

        // Cancelling runs what the work has registered, and often the work's own cleaning up, on the calling thread;
        // neither the pipeline thread nor the one that stops it may be held up by that.
        Task.Factory.StartNew(_stop.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }
}
