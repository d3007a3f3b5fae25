using System.Globalization;
using System.Runtime.CompilerServices;
using ComfyAuth.Comfy;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>
/// Looks at the containers of a stack, and changes nothing. Costs one list for all, and an inspection, one sample of the counters
/// and a question to the service for each; the log, the processes and the rest are read of those only that are not well.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Learns the secrets that the containers' environments hold.</param>
/// <param name="tokenOf">Gives the bearer token of a service; null when none is known.</param>
public sealed class ContainerObserver(DockerClient engine, SecretRedactor redactor, Func<GenAIStack, ServiceDefinition, BcryptHash?> tokenOf)
{
    private const int MostAtOnce = 8;

    // Each request may be a connection of its own, and an SSH server refuses many that are not signed in yet (MaxStartups).
    private const int MostAtOnceOverSsh = 2;

    private const int LogLines = 100;
    private const int LogCharacters = 1024 * 1024;
    private static readonly TimeSpan EventPeriod = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SamplingPeriod = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseBetweenPings = TimeSpan.FromMilliseconds(500);

    /// <summary>How many containers may be looked at at once.</summary>
    internal int AtOnce => AtOnceOver(engine.Endpoint);

    /// <summary>Asks the services.</summary>
    internal ServiceProber Prober { get; init; } = new();

    /// <summary>How long one question to the engine may take; one container that hangs there does not hold up the others.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the events are read. What is past comes at once; the rest is waiting for a moment that has not come yet on the engine's clock.</summary>
    internal TimeSpan EventPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Looks at containers, several at a time. A container is found by its name, and where there is none of that name, by the
    /// labels that Compose gives.
    /// </summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Those of its services whose containers are meant.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>One snapshot for each service, in their order, each as soon as it and those before it are there.</returns>
    /// <exception cref="DockerException">The engine cannot be asked. What cannot be seen of one container is told in <see cref="ContainerSnapshot.NotSeen"/>.</exception>
    public async IAsyncEnumerable<ContainerSnapshot> ObserveAsync(GenAIStack stack, IReadOnlyList<ServiceDefinition> services, [EnumeratorCancellation] CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(services);
        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var gate = new SemaphoreSlim(AtOnce);
        var looks = services.Select(LookInTurnAsync).ToList();
        try
        {
            foreach (var look in looks)
                yield return await look.ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(looks.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<ContainerSnapshot> LookInTurnAsync(ServiceDefinition service)
        {
            await gate.WaitAsync(ending.Token).ConfigureAwait(false);
            try
            {
                return await LookAsync(stack, service, all, null, ending.Token).ConfigureAwait(false);
            }
            finally
            {
                gate.Release();
            }
        }
    }

    /// <summary>Looks at one container again; finds it again too, because one that was made anew is another.</summary>
    /// <param name="earlier">What was seen of it before; what it used since is computed from that.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    public async Task<ContainerSnapshot> ObserveAgainAsync(ContainerSnapshot earlier, GenAIStack stack, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        ArgumentNullException.ThrowIfNull(stack);
        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        return await LookAsync(stack, earlier.Service, all, earlier, stop).ConfigureAwait(false);
    }

    /// <summary>The container of a service: the one of its name, else the one that Compose made of it under another name.</summary>
    internal static ContainerSummary? Find(GenAIStack stack, ServiceDefinition service, IReadOnlyList<ContainerSummary> all)
    {
        if (all.FirstOrDefault(container => container.Name == service.Container) is { } named)
            return named;
        if (service.ComposeFile is null)
            return null;

        var file = stack.PathOf(service.ComposeFile);
        var ours = all
            .Where(container => IsFolder(container.Labels.GetValueOrDefault("com.docker.compose.project.working_dir"), Path.GetDirectoryName(file)!))
            .Where(container => container.Labels.GetValueOrDefault("com.docker.compose.oneoff") != "True")
            .Where(container => stack.Definition.Services.All(other => other.Container != container.Name))
            .ToList();
        if (ours.Count == 0)
            return null;

        // While Compose makes a container anew, the old one has another name, and both have the labels.
        var names = ComposeNames(service, file);
        return ours
            .Where(container => container.Labels.TryGetValue("com.docker.compose.service", out var name) && names.Contains(name))
            .OrderByDescending(container => container.State == ContainerState.Running)
            .ThenByDescending(container => container.CreatedAt)
            .FirstOrDefault();
    }

    /// <summary>How many questions an engine may be asked at once.</summary>
    internal static int AtOnceOver(DockerEndpoint endpoint) => endpoint.Transport == DockerTransport.Ssh ? MostAtOnceOverSsh : MostAtOnce;

    /// <summary>
    /// Whether it is the container that answers at its service's address. Who answers in place of one that does not run, or at the
    /// port of another one, is somebody else: no secret is for them.
    /// </summary>
    internal static bool AnswersItself(ContainerSummary? listed, ServiceDefinition service) =>
        listed?.State == ContainerState.Running && !PortOwner.IsOfAnother(service.Url, listed.Ports);

    private static bool IsFolder(string? label, string folder)
    {
        if (string.IsNullOrEmpty(label) || label.Contains('\0') || !Path.IsPathFullyQualified(label))
            return false;
        return RealPath.Comparer.Equals(Path.TrimEndingDirectorySeparator(Path.GetFullPath(label)), folder) || RealPath.Comparer.Equals(Real(label), Real(folder));

        static string Real(string path)
        {
            try
            {
                return RealPath.Of(path);
            }
            catch (ComfyAuthException)
            {
                return path;
            }
        }
    }

    /// <summary>What the service may be called in its compose file.</summary>
    private static HashSet<string> ComposeNames(ServiceDefinition service, string file)
    {
        HashSet<string> names = [service.Name, service.Container];
        try
        {
            names.UnionWith(ComposeFile.Load([file], profiles: ["*"]).Services.Where(described => described.ContainerName == service.Container).Select(described => described.Name));
        }
        catch (ComfyAuthException)
        {
            // What is wrong with the file is told by who checks it.
        }

        return names;
    }

    private static bool IsGone(DockerException error) => error.Code is "DockerNotRunning" or "DockerNotInstalled" or "DockerSshFailed" or "DockerTlsFailed";

    /// <summary>Asks the engine for one thing; that it cannot be had is an answer as well, unless the engine itself is gone.</summary>
    private async Task<Seen<T>> SeeAsync<T>(string what, Func<CancellationToken, Task<T>> look, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        try
        {
            return new(await look(deadline.Token).ConfigureAwait(false), null);
        }
        catch (DockerException error) when (!IsGone(error))
        {
            return new(default, error);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(default, new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"The engine did not give {what} within {Patience.TotalSeconds:0.###} s.")));
        }
    }

    private async Task<ContainerSnapshot> LookAsync(GenAIStack stack, ServiceDefinition service, IReadOnlyList<ContainerSummary> all, ContainerSnapshot? earlier, CancellationToken stop)
    {
        var listed = Find(stack, service, all);
        var token = tokenOf(stack, service);
        if (token is { } secret)
            redactor.Register(secret);

        // One that is frozen cannot answer.
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var probing = listed?.State == ContainerState.Paused
            ? Task.FromResult(ServiceReadings.None)
            : Prober.ProbeAsync(service, AnswersItself(listed, service) ? token : null, asking.Token);
        var (details, stats) = (default(Seen<ContainerDetails>), default(Seen<ContainerStats?>));
        try
        {
            if (listed is not null)
                (details, stats) = await InspectAsync(listed, stop).ConfigureAwait(false);

            // A service may take seconds to answer; an engine that ends meanwhile is told of before.
            while (await Task.WhenAny(probing, Task.Delay(PauseBetweenPings, stop)).ConfigureAwait(false) != probing)
                await SeeAsync("a ping", engine.PingAsync, stop).ConfigureAwait(false);
        }
        catch
        {
            await asking.CancelAsync().ConfigureAwait(false);
            await ((Task)probing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        var isRemoved = details.Error is DockerException { Code: "DockerNotFound" };
        var container = details.Value ?? (listed is null || isRemoved ? null : ContainerDetails.From(listed));
        foreach (var variable in container?.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)) ?? [])
            redactor.Register(variable.Reveal());

        var snapshot = new ContainerSnapshot
        {
            Stack = stack.Root,
            Service = service,
            TakenAt = stats.Value?.ReadAt ?? DateTimeOffset.UtcNow,
            Container = container,
            Stats = isRemoved ? null : stats.Value,
            Usage = isRemoved ? null : UsageSince(earlier, container, stats.Value),
            Readings = await probing.ConfigureAwait(false),
            Others = [.. all.Where(other => other != listed)],
        };

        // One that was removed since it was listed is seen as well as one that was never there.
        snapshot = snapshot with { NotSeen = isRemoved ? [] : Lines([details.Error, stats.Error]) };
        var isWell = container is { State: ContainerState.Running, Health: not ContainerHealthStatus.Unhealthy } && snapshot.Readings.IsReady == true;
        return isWell || (details.Error is not null && !isRemoved) ? snapshot : await LookCloserAsync(snapshot, stack, stop).ConfigureAwait(false);
    }

    /// <summary>What explains why a container is not well.</summary>
    private async Task<ContainerSnapshot> LookCloserAsync(ContainerSnapshot snapshot, GenAIStack stack, CancellationToken stop)
    {
        var container = snapshot.Container;
        var again = SampleAgainAsync(snapshot, stop);
        var log = container?.StartedAt is null
            ? Task.FromResult(new Seen<IReadOnlyList<ContainerLogLine>>([], null))
            : SeeAsync("the log", stopLook => LogAsync(container, stopLook), stop);
        var processes = container?.State is ContainerState.Running or ContainerState.Paused
            ? SeeAsync("the processes", stopLook => engine.TopAsync(container.Id, stopLook), stop)
            : Task.FromResult(new Seen<IReadOnlyList<ContainerProcess>>([], null));
        var events = SeeAsync("the events", stopLook => EventsAsync(snapshot, stopLook), stop);
        var mounts = MountSources.LookAsync(container, stack, engine.Endpoint, stop);
        await Task.WhenAll(again, log, processes, events, mounts).ConfigureAwait(false);

        var second = await again.ConfigureAwait(false);
        var sources = await mounts.ConfigureAwait(false);
        return snapshot with
        {
            TakenAt = second.Value?.ReadAt ?? snapshot.TakenAt,
            Stats = second.Value ?? snapshot.Stats,
            Usage = snapshot.Usage ?? UsageSince(snapshot, container, second.Value),
            Log = (await log.ConfigureAwait(false)).Value ?? [],
            Processes = (await processes.ConfigureAwait(false)).Value ?? [],
            Events = (await events.ConfigureAwait(false)).Value ?? [],
            MountedDirectories = sources.Directories,
            MissingMounts = container?.State is ContainerState.Running or ContainerState.Paused ? [] : sources.Gone,
            NotSeen =
            [
                .. snapshot.NotSeen,
                .. Lines([second.Error, (await log.ConfigureAwait(false)).Error, (await processes.ConfigureAwait(false)).Error, (await events.ConfigureAwait(false)).Error]),
                .. sources.NotSeen.Select(redactor.Redact),
            ],
        };
    }

    private static ContainerUsage? UsageSince(ContainerSnapshot? earlier, ContainerDetails? container, ContainerStats? stats) =>
        earlier is { Stats: { } before, Container: { } then } && container is not null && stats is not null
        && then.Id == container.Id && then.StartedAt == container.StartedAt && before.ReadAt < stats.ReadAt
            ? ContainerUsage.Between(before, stats)
            : null;

    private async Task<(Seen<ContainerDetails> Details, Seen<ContainerStats?> Stats)> InspectAsync(ContainerSummary listed, CancellationToken stop)
    {
        var details = await SeeAsync("the details", stopLook => engine.InspectContainerAsync(listed.Id, stopLook), stop).ConfigureAwait(false);
        var stats = listed.State is ContainerState.Running or ContainerState.Paused ? await SampleAsync(listed.Id, details.Value, stop).ConfigureAwait(false) : default;
        return (details, stats);
    }

    /// <summary>The counters of a container, from this machine's kernel where the engine is here, else from the engine.</summary>
    private Task<Seen<ContainerStats?>> SampleAsync(string id, ContainerDetails? container, CancellationToken stop) =>
        engine.Endpoint.Transport == DockerTransport.UnixSocket && container is not null && LocalCounters.Read(container) is { } local
            ? Task.FromResult(new Seen<ContainerStats?>(local, null))
            : SeeAsync("the counters", stopLook => engine.StatsAsync(id, stopLook), stop);

    /// <summary>A second sample of one that runs and does not answer: it tells whether it works or is stuck.</summary>
    private async Task<Seen<ContainerStats?>> SampleAgainAsync(ContainerSnapshot snapshot, CancellationToken stop)
    {
        if (snapshot is not { Container: { State: ContainerState.Running } container, Stats: not null, Usage: null, Readings.IsLive: not true })
            return default;

        await Task.Delay(SamplingPeriod, stop).ConfigureAwait(false);
        return await SampleAsync(container.Id, container, stop).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<ContainerLogLine>> LogAsync(ContainerDetails container, CancellationToken stop)
    {
        var lines = new Queue<ContainerLogLine>();
        var characters = 0;
        await foreach (var line in engine.LogsAsync(container.Id, new() { Tail = LogLines, Tty = container.Tty }, stop).ConfigureAwait(false))
        {
            lines.Enqueue(line);
            for (characters += line.Text.Length; characters > LogCharacters && lines.Count > 1;)
                characters -= lines.Dequeue().Text.Length;
        }

        return [.. lines];
    }

    /// <summary>What happened to the container, without what healthchecks and this program make happen. Of one that is gone, what happened to its name.</summary>
    private async Task<IReadOnlyList<EngineEvent>> EventsAsync(ContainerSnapshot snapshot, CancellationToken stop)
    {
        var until = new[] { snapshot.Stats?.ReadAt ?? DateTimeOffset.UtcNow, snapshot.Container?.StartedAt, snapshot.Container?.FinishedAt }.Max()!.Value;
        var (id, name) = (snapshot.Container?.Id, snapshot.Service.Container);
        List<EngineEvent> events = [];
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        enough.CancelAfter(EventPatience);
        try
        {
            // The filter asks for the beginning of a name or an identifier.
            await foreach (var item in engine.EventsAsync(new() { Containers = [id ?? name], Since = until - EventPeriod, Until = until }, enough.Token).ConfigureAwait(false))
            {
                if ((id is null ? item.Name == name : item.Id == id) && item.Action != "top" && !item.Action.StartsWith("exec_", StringComparison.Ordinal))
                    events.Add(item);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The clock of this machine, which counts for one that does not run, is ahead of the engine's.
        }

        return events;
    }

    private IReadOnlyList<string> Lines(IEnumerable<Exception?> errors) => [.. errors.OfType<Exception>().Select(redactor.Describe)];

    /// <summary>What the engine gave, or why it did not.</summary>
    private readonly record struct Seen<T>(T? Value, Exception? Error);
}
