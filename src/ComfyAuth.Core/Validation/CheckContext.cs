using System.Collections.Concurrent;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Guidance;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>What the checks of one run look at. What several of them need is found out once. Safe for concurrent use.</summary>
internal sealed class CheckContext : IAsyncDisposable
{
    // What listens to its token ends at once; what does not, ends when it does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly SharedFact<IReadOnlyDictionary<string, ContainerSnapshot>> SnapshotsFact = new(ObserveAsync);

    private static readonly SharedFact<GuidanceIndex> GuidanceFact = new((context, stop) => Task.FromResult(GuidanceIndex.Build(context.Stack, context.Redactor, stop)));

    private readonly ConcurrentDictionary<object, Lazy<Task>> _facts = new();
    private readonly Lazy<DockerClient> _engine;
    private readonly CancellationTokenSource _ending;

    /// <summary>Makes a context for one run.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">The chosen services.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="redactor">Learns every secret that is read.</param>
    /// <param name="verifier">Asks bcrypt.</param>
    /// <param name="engine">Gives the engine's client, which is not disposed of here; throws where it cannot be told where the engine is.</param>
    /// <param name="stop">Ends the run.</param>
    public CheckContext(
        GenAIStack stack,
        IReadOnlyList<ServiceDefinition> services,
        ValidationOptions options,
        SecretRedactor redactor,
        PasswordVerifier verifier,
        Func<DockerClient> engine,
        CancellationToken stop)
    {
        Stack = stack;
        Services = services;
        Options = options;
        Redactor = redactor;
        Verifier = verifier;
        Shell = options.Shell ?? Environment.GetEnvironmentVariable;
        _engine = new(engine);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
    }

    /// <summary>Keeps what a fix replaces, as <see cref="FileTransactionOptions.Keep"/> says; null where nothing is mended.</summary>
    public Action<string, string?>? Keep { get; init; }

    public GenAIStack Stack { get; }

    public IReadOnlyList<ServiceDefinition> Services { get; }

    public ValidationOptions Options { get; }

    public SecretRedactor Redactor { get; }

    public PasswordVerifier Verifier { get; }

    /// <summary>Looks up a variable of the environment that Compose would be started in.</summary>
    public Func<string, string?> Shell { get; }

    /// <summary>The engine.</summary>
    /// <exception cref="ComfyAuthException">It cannot be told where it is.</exception>
    public DockerClient Engine => _engine.Value;

    /// <summary>Finds a shared fact out, or waits for whoever does.</summary>
    public Task<T> FindAsync<T>(SharedFact<T> fact, CancellationToken stop)
    {
        var found = (Task<T>)_facts.GetOrAdd(fact, _ => new(() => Task.Run(() => fact.FindAsync(this, _ending.Token), _ending.Token))).Value;
        return found.WaitAsync(stop);
    }

    /// <summary>Finds out what several checks need of one service, or waits for whoever does.</summary>
    public Task<T> FindAsync<T>(SharedServiceFact<T> fact, ServiceDefinition service, CancellationToken stop)
    {
        var found = (Task<T>)_facts.GetOrAdd((fact, service.Name), _ => new(() => Task.Run(() => fact.FindAsync(this, service, _ending.Token), _ending.Token))).Value;
        return found.WaitAsync(stop);
    }

    /// <summary>A shared fact that was found out already; null where nobody asked for it, and where it could not be found out.</summary>
    public T? Known<T>(SharedFact<T> fact)
        where T : class =>
        _facts.TryGetValue(fact, out var found) && found is { IsValueCreated: true, Value: Task<T> { IsCompletedSuccessfully: true } task } ? task.Result : null;

    /// <summary>What is seen of the container of a service.</summary>
    public async Task<ContainerSnapshot> SnapshotAsync(ServiceDefinition service, CancellationToken stop) =>
        (await SnapshotsAsync(stop).ConfigureAwait(false))[service.Name];

    /// <summary>What is seen of the container of each chosen service, by the name of the service.</summary>
    public Task<IReadOnlyDictionary<string, ContainerSnapshot>> SnapshotsAsync(CancellationToken stop) => FindAsync(SnapshotsFact, stop);

    /// <summary>The index of the stack's own documents.</summary>
    public Task<GuidanceIndex> GuidanceAsync(CancellationToken stop) => FindAsync(GuidanceFact, stop);

    /// <summary>Ends what is still being found out, and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        var begun = _facts.Values.Where(fact => fact.IsValueCreated).Select(fact => fact.Value);
        await Task.WhenAll(begun).WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private static async Task<IReadOnlyDictionary<string, ContainerSnapshot>> ObserveAsync(CheckContext context, CancellationToken stop)
    {
        var observer = new ContainerObserver(context.Engine, context.Redactor, (stack, service) => BearerToken.Of(stack, service, context.Redactor));
        var snapshots = new Dictionary<string, ContainerSnapshot>(StringComparer.Ordinal);
        await foreach (var snapshot in observer.ObserveAsync(context.Stack, context.Services, stop).ConfigureAwait(false))
            snapshots.Add(snapshot.Service.Name, snapshot);
        return snapshots;
    }
}
