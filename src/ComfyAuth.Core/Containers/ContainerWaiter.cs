using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>Waits for containers. Never starts, stops or changes anything.</summary>
/// <param name="engine">The engine.</param>
/// <param name="observer">Looks at the containers.</param>
/// <param name="redactor">Takes the secrets out of what is told.</param>
public sealed class ContainerWaiter(DockerClient engine, ContainerObserver observer, SecretRedactor redactor)
{
    // A look that began in time may end a little later.
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLook = TimeSpan.FromHours(1);
    private static readonly TimeSpan PauseBetweenStreams = TimeSpan.FromSeconds(2);

    /// <summary>How long an engine that answered before may be silent.</summary>
    internal TimeSpan EngineGrace { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a container that ran may be away.</summary>
    internal TimeSpan RecreationGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to sleep between two looks when no event of the engine comes before; null: a second or two.</summary>
    internal TimeSpan? PauseBetweenLooks { get; init; }

    /// <summary>Waits for the containers of services, all at once.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Those of its services whose containers are waited for.</param>
    /// <param name="options">What they shall be, and when to give up. A timeout of zero looks once.</param>
    /// <param name="progress">
    /// Is told each time that a container was looked at, by several threads at once; null when nobody listens. While the engine
    /// does not answer, it is told of the condition <see cref="ContainerCondition.Unknown"/>.
    /// </param>
    /// <param name="stop">Gives up.</param>
    /// <returns>One result for each service, as each wait ends.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A timeout is negative.</exception>
    /// <exception cref="DockerException">The engine cannot be asked at the first look, or did not come back within a minute later.</exception>
    public IAsyncEnumerable<ContainerWaitResult> WaitAsync(
        GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerWaitOptions options, IProgress<ContainerDiagnosis>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.StallTimeout, TimeSpan.Zero);
        return ResultsAsync(stack, services, options, progress, stop);
    }

    private async IAsyncEnumerable<ContainerWaitResult> ResultsAsync(
        GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerWaitOptions options, IProgress<ContainerDiagnosis>? progress, [EnumeratorCancellation] CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var gate = new SemaphoreSlim(observer.AtOnce);
        var waits = services.Select(service => new Wait(service)).ToList();
        var results = Channel.CreateUnbounded<ContainerWaitResult>();
        var following = FollowAsync(waits, ending.Token);
        var waiting = RunAsync();
        try
        {
            await foreach (var result in results.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                yield return result;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(waiting, following).ConfigureAwait(false);
            waits.ForEach(wait => wait.Dispose());
        }

        async Task RunAsync()
        {
            List<Task> running = [];
            Exception? failure = null;
            try
            {
                await foreach (var snapshot in observer.ObserveAsync(stack, services, ending.Token).ConfigureAwait(false))
                    running.Add(GuardedAsync(WaitForAsync(stack, waits[running.Count], snapshot, gate, options, progress, ending.Token)));
            }
            catch (Exception error)
            {
                failure = error;
                results.Writer.TryComplete(error);
            }

            await Task.WhenAll(running).ConfigureAwait(false);
            results.Writer.TryComplete(failure);
        }

        // The first error ends the enumeration, and so the other waits.
        async Task GuardedAsync(Task<ContainerWaitResult> wait)
        {
            try
            {
                results.Writer.TryWrite(await wait.ConfigureAwait(false));
            }
            catch (Exception error)
            {
                results.Writer.TryComplete(error);
            }
        }
    }

    private async Task<ContainerWaitResult> WaitForAsync(
        GenAIStack stack, Wait wait, ContainerSnapshot snapshot, SemaphoreSlim gate, ContainerWaitOptions options, IProgress<ContainerDiagnosis>? progress, CancellationToken stop)
    {
        var diagnosis = ContainerDiagnostician.Diagnose(snapshot, redactor);
        var state = new ContainerWaitState(options, diagnosis) { RecreationGrace = RecreationGrace, PauseBetweenLooks = PauseBetweenLooks };
        while (true)
        {
            progress?.Report(diagnosis);
            if (state.Decide(wait.Elapsed) is var (outcome, message))
                return new(outcome, message, wait.Elapsed, state.Last);

            await wait.SleepAsync(state.Pause(wait.Elapsed), stop).ConfigureAwait(false);
            await gate.WaitAsync(stop).ConfigureAwait(false);
            var began = wait.Elapsed;
            try
            {
                snapshot = await LookAsync(snapshot, stack, options.Timeout - began, stop).ConfigureAwait(false);
                diagnosis = ContainerDiagnostician.Diagnose(snapshot, redactor);
                state = state.After(diagnosis, wait.Elapsed);
            }
            catch (DockerException error)
            {
                state = state.WithoutEngine(began);
                var silence = wait.Elapsed - state.EngineSilentSince!.Value;
                if (silence >= EngineGrace)
                    throw;
                diagnosis = Unseen(state.Last, error, silence);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The time is over, and the engine still thinks.
                state = state.WithoutEngine(began);
                diagnosis = state.Last;
            }
            finally
            {
                gate.Release();
            }
        }
    }

    private async Task<ContainerSnapshot> LookAsync(ContainerSnapshot earlier, GenAIStack stack, TimeSpan rest, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(LastLook + (rest < TimeSpan.Zero ? TimeSpan.Zero : rest > LongestLook ? LongestLook : rest));
        return await observer.ObserveAgainAsync(earlier, stack, deadline.Token).ConfigureAwait(false);
    }

    private static ContainerDiagnosis Unseen(ContainerDiagnosis last, DockerException error, TimeSpan silence) => last with
    {
        Condition = ContainerCondition.Unknown,
        Confidence = DiagnosisConfidence.High,
        IsLive = null,
        IsProtected = null,
        IsReady = null,
        State = null,
        Health = ContainerHealthStatus.None,
        IsMoving = null,
        Cpu = null,
        MemoryUsed = null,
        Message = $"The Docker engine has not answered for {Duration.Format(silence)}. {error.Message}",
        Evidence = [$"Before, it was {last.Condition}: {last.Message}"],
        Remedy = error.Remedy,
        Also = [],
        ObservedAt = DateTimeOffset.UtcNow,
    };

    /// <summary>Ends the sleep of a wait when the engine tells that something happened to its container. Without the events, it sleeps to the end.</summary>
    private async Task FollowAsync(IReadOnlyList<Wait> waits, CancellationToken stop)
    {
        var sleepers = waits.ToLookup(wait => wait.Container, StringComparer.Ordinal);
        var options = new EngineEventOptions { Containers = [.. sleepers.Select(container => container.Key)] };
        while (options.Containers.Count > 0 && !stop.IsCancellationRequested)
        {
            try
            {
                await foreach (var item in engine.EventsAsync(options, stop).ConfigureAwait(false))
                {
                    // A healthcheck makes three events of its own each time it runs.
                    if (item is not { Type: "container", Action: "health_status" or "die" or "oom" or "start" or "destroy" or "pause" or "unpause" })
                        continue;
                    foreach (var wait in sleepers[item.Name])
                        wait.Wake();
                }
            }
            catch (DockerException)
            {
                // The engine was restarted, or a proxy ended the stream.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(PauseBetweenStreams, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The clock and the alarm of one wait.</summary>
    private sealed class Wait(ServiceDefinition service) : IDisposable
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly SemaphoreSlim _alarm = new(0);

        public string Container => service.Container;

        public TimeSpan Elapsed => _clock.Elapsed;

        /// <summary>Called by one thread only.</summary>
        public void Wake()
        {
            if (_alarm.CurrentCount == 0)
                _alarm.Release();
        }

        public Task<bool> SleepAsync(TimeSpan time, CancellationToken stop) => _alarm.WaitAsync(time, stop);

        public void Dispose() => _alarm.Dispose();
    }
}
