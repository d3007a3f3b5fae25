using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Holds a stack against the checks, several at a time. Changes nothing.</summary>
/// <param name="redactor">Learns every secret that is read, and takes them out of what is told.</param>
/// <param name="verifier">Asks bcrypt; share one, so that the same question is asked once.</param>
/// <param name="engine">Gives the client of the Docker engine, the same each time; may throw where it cannot be told where the engine is.</param>
public sealed class StackValidator(SecretRedactor redactor, PasswordVerifier verifier, Func<DockerClient> engine)
{
    private const int MostCitations = 3;

    // What listens to its token ends at once. What does not is left alone in the end, so that it holds up nobody.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Which checks would be made, in the order in which a report shows them; each once, however many services it is of.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="options">What is asked for.</param>
    /// <exception cref="ComfyAuthException"><c>ServiceNotFound</c>; <c>CheckNotFound</c>: a name or a pattern that no check has; <c>StackFileInvalid</c>: the stack's own checks cannot be read.</exception>
    public static IReadOnlyList<Check> Select(GenAIStack stack, ValidationOptions options)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(options);
        _ = stack.SelectServices(options.Services);
        return CheckSelection.Of(ChecksOf(stack), options);
    }

    /// <summary>Makes the checks.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>One result for each check, and for each service that it is of, as it finishes. <see cref="Order"/> puts them in the order of a report.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="Select"/>. What cannot be checked is a result, not an error.</exception>
    public IAsyncEnumerable<CheckResult> RunAsync(GenAIStack stack, ValidationOptions options, CancellationToken stop = default) =>
        RunAsync(stack, options, ChecksOf(stack), stop);

    /// <summary>Puts results in the order of a report: of the catalogue, then the stack's own by name, then of the services.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="results">Its results.</param>
    public static IReadOnlyList<CheckResult> Order(GenAIStack stack, IEnumerable<CheckResult> results)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var checks = CheckCatalogue.All.Select((check, index) => (check.Id, index)).ToDictionary(item => item.Id, item => item.index);
        var services = stack.Definition.Services.Select((service, index) => (service.Name, index)).ToDictionary(item => item.Name, item => item.index);
        return
        [
            .. results
                .OrderBy(result => checks.GetValueOrDefault(result.Id, int.MaxValue))
                .ThenBy(result => result.Id, StringComparer.Ordinal)
                .ThenBy(result => result.Service is { } service ? services.GetValueOrDefault(service, int.MaxValue) : -1),
        ];
    }

    /// <summary>The checks that are built in, and behind them the stack's own.</summary>
    private static IReadOnlyList<Check> ChecksOf(GenAIStack stack) => [.. CheckCatalogue.All, .. CustomChecks.Of(stack)];

    /// <summary>Makes some of given checks.</summary>
    internal async IAsyncEnumerable<CheckResult> RunAsync(GenAIStack stack, ValidationOptions options, IReadOnlyList<Check> checks, [EnumeratorCancellation] CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(options);
        var services = stack.SelectServices(options.Services);
        var reported = CheckSelection.Of(checks, options);
        StackSecrets.Register(stack, redactor);

        var context = new CheckContext(stack, services, options, redactor, verifier, engine, stop);
        await using var scope = context.ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var gate = new SemaphoreSlim(options.AtOnce);
        var finished = Channel.CreateUnbounded<CheckResult>();
        var runs = new Dictionary<(string Id, string? Service), Lazy<Task<(CheckResult Result, string? MissingGround)>>>();
        foreach (var check in CheckSelection.WithGrounds(checks, reported))
        {
            foreach (var service in SubjectsOf(check, services))
                runs.Add((check.Id, service?.Name), new(() => RunInTurnAsync(check, service)));
        }

        var all = Task.WhenAll(runs.Values.Select(run => run.Value));
        _ = all.ContinueWith(done => finished.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            await foreach (var result in finished.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                yield return result;
            options.Found?.Invoke(new(context.Known(EngineChecks.VersionFact), context.Known(GitChecks.Reading)?.State));
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await ((Task)all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<(CheckResult Result, string? MissingGround)> RunInTurnAsync(Check check, ServiceDefinition? service)
        {
            // Begun by whoever asks first; that one shall not wait for what comes before the first await.
            await Task.Yield();
            var missing = await MissingGroundAsync(check, service).ConfigureAwait(false);
            CheckResult result;
            if (missing is not null)
            {
                result = ResultOf(check, service, stack, CheckOutcome.Skipped(missing), TimeSpan.Zero) with { Weight = check.Weight };
            }
            else
            {
                await gate.WaitAsync(ending.Token).ConfigureAwait(false);
                try
                {
                    result = await LookAsync(check, service, context, ending.Token).ConfigureAwait(false);
                }
                finally
                {
                    gate.Release();
                }
            }

            if (reported.Contains(check))
                finished.Writer.TryWrite(result);
            return (result, missing);
        }

        async Task<string?> MissingGroundAsync(Check check, ServiceDefinition? service)
        {
            foreach (var id in check.DependsOn)
            {
                if (!runs.TryGetValue((id, null), out var run) && !runs.TryGetValue((id, service?.Name), out run))
                    continue;

                // What stands at the ground of all is told once, not each check between.
                var (ground, deeper) = await run.Value.ConfigureAwait(false);
                if (deeper is not null)
                    return deeper;
                if (ground.Status is not (CheckStatus.Passed or CheckStatus.Warning))
                    return $"It builds on {ground.Id}, which {Ending(ground.Status)}: {ground.Message}";
            }

            return null;
        }
    }

    private static IEnumerable<ServiceDefinition?> SubjectsOf(Check check, IReadOnlyList<ServiceDefinition> services)
    {
        if (check.AppliesTo is { } applies)
            return services.Where(applies);
        return [null];
    }

    private static string Ending(CheckStatus status) => status switch
    {
        CheckStatus.Failed => "failed",
        CheckStatus.Skipped => "was skipped",
        _ => "could not be checked",
    };

    private async Task<CheckResult> LookAsync(Check check, ServiceDefinition? service, CheckContext context, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(check.Timeout);
        CheckOutcome outcome;

        // A check that computes for long, or does not listen, must not hold up the others.
        var look = Task.Run(() => check.RunAsync(context, service, deadline.Token), deadline.Token);
        try
        {
            outcome = await look.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            outcome = CheckOutcome.Error($"It was not finished within {Duration.Format(check.Timeout)}.") with { Remedy = "Look at what is slow there, or leave the check out with -Exclude." };
        }
        catch (ComfyAuthException error)
        {
            outcome = CheckOutcome.Error(error.Message) with { Remedy = error.Remedy };
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // One check that breaks must not take the others with it.
            outcome = CheckOutcome.Error(redactor.Describe(error));
        }
        finally
        {
            await ((Task)look).WaitAsync(Grace, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var result = ResultOf(check, service, context.Stack, outcome, clock.Elapsed);
        return result.Status is CheckStatus.Failed or CheckStatus.Warning ? result with { Guidance = await CiteAsync(result, context, stop).ConfigureAwait(false) } : result;
    }

    private CheckResult ResultOf(Check check, ServiceDefinition? service, GenAIStack stack, CheckOutcome outcome, TimeSpan duration) => new()
    {
        Stack = stack.Root,
        Id = check.Id,
        Category = check.Category,
        Title = check.Title,
        Service = service?.Name,
        Status = outcome.Status,
        Message = redactor.Redact(outcome.Message),
        Evidence = [.. outcome.Evidence.Select(redactor.Redact)],
        Remedy = outcome.Status == CheckStatus.Passed ? "" : redactor.Redact(outcome.Remedy ?? check.Remedy),
        CanFix = outcome.CanFix,

        // Where there is nothing to check, nothing is missing from the score either.
        Weight = outcome.Status == CheckStatus.Skipped ? 0 : check.Weight,
        Duration = duration,
    };

    private static async Task<IReadOnlyList<string>> CiteAsync(CheckResult result, CheckContext context, CancellationToken stop)
    {
        try
        {
            var index = await context.GuidanceAsync(stop).ConfigureAwait(false);
            return
            [
                .. index.Search($"{result.Title} {result.Message} {result.Service}", MostCitations)
                    .Select(passage => FormattableString.Invariant($"{passage.File}:{passage.Line} {passage.Heading} ({passage.Score:0.0})")),
            ];
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Documents that cannot be searched take nothing from what was found.
            return [];
        }
    }
}
