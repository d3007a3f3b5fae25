using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using System.Management.Automation.Host;
using ComfyAuth.Secrets;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>
/// The way from a cmdlet's asynchronous work to PowerShell, whose streams and questions belong to the pipeline
/// thread. Every member may be called from any thread; what is written comes out in order. After the pipeline has
/// ended, what is written is dropped and what is asked is cancelled. Every text passes the redactor.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Work that outlives the cmdlet may still write to the queue, which holds nothing but memory.")]
public sealed class CmdletPipe
{
    // Holds back work that produces faster than the pipeline consumes.
    private const int Capacity = 256;

    private static readonly Action WakeUp = () => { };

    private readonly ComfyCmdlet _cmdlet;
    private readonly CancellationToken _ended;
    private readonly BlockingCollection<Action> _queue = new(Capacity);
    private readonly ProgressThrottle _progress = new(TimeProvider.System);

    internal CmdletPipe(ComfyCmdlet cmdlet, CancellationToken ended)
    {
        _cmdlet = cmdlet;
        _ended = ended;
        Loggers = new PipeLoggerFactory(this, IsWanted("Verbose"), IsWanted("Debug"));
    }

    /// <summary>Takes the secrets out of every text on its way out; to be told of each secret as soon as it is known.</summary>
    public SecretRedactor Redactor { get; } = new();

    /// <summary>Makes loggers whose messages go to the verbose stream (information and above) or the debug stream.</summary>
    public ILoggerFactory Loggers { get; }

    /// <summary>Writes an object to the output.</summary>
    /// <param name="output">The object.</param>
    /// <param name="enumerate">Whether a collection is written item by item.</param>
    public void WriteObject(object? output, bool enumerate = false) => Post(() => _cmdlet.WriteObject(output, enumerate));

    /// <summary>Writes a non-terminating error.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="target">The input it went wrong with.</param>
    public void WriteError(Exception exception, object? target = null)
        => Post(() => _cmdlet.WriteError(ErrorRecords.Create(exception, target, Redactor)));

    /// <summary>Writes a warning.</summary>
    /// <param name="message">The text.</param>
    public void WriteWarning(string message) => Post(() => _cmdlet.WriteWarning(Redactor.Redact(message)));

    /// <summary>Writes to the verbose stream.</summary>
    /// <param name="message">The text.</param>
    public void WriteVerbose(string message) => Post(() => _cmdlet.WriteVerbose(Redactor.Redact(message)));

    /// <summary>Writes to the debug stream.</summary>
    /// <param name="message">The text.</param>
    public void WriteDebug(string message) => Post(() => _cmdlet.WriteDebug(Redactor.Redact(message)));

    /// <summary>Writes to the information stream.</summary>
    /// <param name="message">The text.</param>
    /// <param name="tags">Tags to select it by.</param>
    public void WriteInformation(string message, params string[] tags)
        => Post(() => _cmdlet.WriteInformation(Redactor.Redact(message), tags));

    /// <summary>
    /// Shows how far the work is; at most five updates a second come out, always including the latest. The display
    /// ends by itself with the input.
    /// </summary>
    /// <param name="activity">What is being done.</param>
    /// <param name="status">What it is at.</param>
    /// <param name="done">How much is done, in any unit.</param>
    /// <param name="total">How much there is in the same unit; without it no percentage is shown.</param>
    public void WriteProgress(string activity, string status, long done = 0, long? total = null) => WriteProgress(new(activity, status, done, total));

    /// <inheritdoc cref="WriteProgress(string, string, long, long?)"/>
    /// <param name="update">How far it is; each of a display has as many parts.</param>
    public void WriteProgress(ProgressUpdate update)
    {
        if (_progress.Offer(update))
            Wake();
    }

    /// <summary>Asks whether a change may be made: the answer is no under <c>-WhatIf</c>, the user's under <c>-Confirm</c>.</summary>
    /// <param name="target">What would be changed.</param>
    /// <param name="action">What would be done to it.</param>
    /// <returns>Whether to make the change.</returns>
    public Task<bool> ShouldProcessAsync(string target, string action)
        => AskAsync(cmdlet => cmdlet.ShouldProcess(Redactor.Redact(target), Redactor.Redact(action)));

    /// <summary>Asks the user a question that <c>-Force</c> answers.</summary>
    /// <param name="query">The question.</param>
    /// <param name="caption">Its title.</param>
    /// <returns>Whether to go on.</returns>
    /// <exception cref="ComfyAuthException">Nobody can be asked here.</exception>
    public Task<bool> ShouldContinueAsync(string query, string caption)
        => AskAsync(cmdlet =>
        {
            try
            {
                return cmdlet.ShouldContinue(Redactor.Redact(query), Redactor.Redact(caption));
            }
            catch (Exception exception) when (exception is HostException or PSInvalidOperationException or NotImplementedException)
            {
                throw new ComfyAuthException(
                    "ConfirmationImpossible",
                    $"'{Redactor.Redact(query)}' has to be confirmed, and this session cannot ask.",
                    "Give -Force, or run it where a question can be answered.",
                    exception);
            }
        });

    /// <summary>
    /// Computes something on the pipeline thread, the only one that may use the session state. A
    /// <see cref="ComfyAuthException"/> comes back to the caller; any other exception ends the pipeline.
    /// </summary>
    /// <typeparam name="T">The type of the answer.</typeparam>
    /// <param name="question">What to compute; quick, since the pipeline waits for it.</param>
    /// <returns>The answer.</returns>
    public async Task<T> AskAsync<T>(Func<PSCmdlet, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = _ended.UnsafeRegister(_ => answer.TrySetCanceled(_ended), null);
        Post(() =>
        {
            try
            {
                answer.TrySetResult(question(_cmdlet));
            }
            catch (ComfyAuthException exception)
            {
                answer.TrySetException(exception);
            }
        });
        return await answer.Task;
    }

    /// <summary>Does on the pipeline thread what the work posts, until the work has ended and all is done.</summary>
    internal void Pump(Task work)
    {
        work.ContinueWith(_ => Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!work.IsCompleted || _queue.Count > 0)
        {
            if (_queue.TryTake(out var action, _progress.MillisecondsUntilDue, _ended))
                action();

            foreach (var record in _progress.TakeDue()?.ToRecords(Redactor) ?? [])
                _cmdlet.WriteProgress(record);
        }
    }

    /// <summary>Ends the progress display, on the pipeline thread.</summary>
    internal void CompleteProgress()
    {
        if (_progress.Complete() is not { } last)
            return;

        try
        {
            foreach (var record in last.ToRecords(Redactor).Reverse())
            {
                record.RecordType = ProgressRecordType.Completed;
                _cmdlet.WriteProgress(record);
            }
        }
        catch (PipelineStoppedException)
        {
            // A pipeline that is being stopped takes no more records; the exception that stopped it is on its way.
        }
    }

    // A full queue needs no waking: the pump is about to take from it.
    private void Wake() => _queue.TryAdd(WakeUp);

    private void Post(Action action)
    {
        try
        {
            _queue.Add(action, _ended);
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more.
        }
    }

    private bool IsWanted(string stream)
    {
        if (_cmdlet.MyInvocation.BoundParameters.TryGetValue(stream, out var given) && given is SwitchParameter asked)
            return asked;

        return _cmdlet.GetVariableValue(stream + "Preference") is not (null or ActionPreference.SilentlyContinue or ActionPreference.Ignore);
    }
}
