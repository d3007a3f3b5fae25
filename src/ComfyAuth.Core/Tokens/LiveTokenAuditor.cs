using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Comfy;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>
/// Compares a credential with its source of truth on all its way: in the files, in the environment of the container, in
/// <c>login/PASSWORD</c> inside it, and in what the live server accepts. Changes nothing. What cannot be looked at is
/// <see cref="TokenState.Unreadable"/> with the reason, and no error.
/// </summary>
/// <remarks>
/// The server is asked as <see cref="LoginProver"/> asks, with our token, and only where the container itself is what answers at the
/// service's address.
/// </remarks>
/// <param name="auditor">Reads the files.</param>
/// <param name="engine">The engine that has the containers.</param>
/// <param name="redactor">Learns every secret that is read.</param>
public sealed partial class LiveTokenAuditor(TokenAuditor auditor, DockerClient engine, SecretRedactor redactor)
{
    /// <summary>How long the files of one container, and one answer of its server, may take.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Asks the server; null: anew each time. Gives a proof of the very expectation, which may have been made a moment ago.</summary>
    internal Func<ServiceDefinition, LoginExpectation, CancellationToken, Task<LoginProof>>? Prove { get; init; }

    /// <summary>Looks at every place.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The observations of <see cref="LookAsync"/>.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="TokenAuditor.Audit"/>.</exception>
    public async Task<IReadOnlyList<TokenObservation>> AuditAsync(GenAIStack stack, IReadOnlyCollection<string>? services, CancellationToken stop) =>
        (await LookAsync(stack, services, stop).ConfigureAwait(false)).Observations;

    /// <summary>Looks at every place, and sums it up.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What was seen.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="TokenAuditor.Audit"/>.</exception>
    public async Task<LiveTokenAudit> LookAsync(GenAIStack stack, IReadOnlyCollection<string>? services, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var surveys = auditor.Survey(stack, services, stop);
        var files = surveys.ToDictionary(survey => survey, survey => survey.Observe(survey.Truth).ToList());
        var (all, error) = await ListAsync(stop).ConfigureAwait(false);
        var targets = surveys.SelectMany(survey => survey.Services.Select(service => (survey, service))).ToList();
        var live = new IReadOnlyList<TokenObservation>[targets.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, targets.Count),
            new ParallelOptions { MaxDegreeOfParallelism = ContainerObserver.AtOnceOver(engine.Endpoint), CancellationToken = stop },
            async (index, stopLook) =>
            {
                var (survey, service) = targets[index];
                live[index] = error is null
                    ? await LookAtAsync(survey, service, all, stopLook).ConfigureAwait(false)
                    : new LiveJudge(survey, service, service.Container, redactor).NotSeen(error.Message, error.Remedy);
            }).ConfigureAwait(false);

        return new(
            [.. files.Values.SelectMany(seen => seen), .. live.SelectMany(seen => seen)],
            [.. surveys.SelectMany(survey => TokenAuditor.Validate(survey, [.. files[survey], .. live.Where((_, index) => targets[index].survey == survey).SelectMany(seen => seen)]))]);
    }

    /// <summary>Whether a text names a place in a container, as the observations of this class do, and not one in a file.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="place">The text.</param>
    public static bool IsInContainer(GenAIStack stack, string place)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(place);
        return ContainerPath().IsMatch(place) || stack.Definition.Services.Any(service => place.StartsWith(service.Container + "#", StringComparison.Ordinal));
    }

    /// <summary>Finds the hashes that stand in the containers of services behind ComfyUI-Login, running or not: what is left where the source of truth is lost.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="place">A place in a container that must be among them, of which the path may be any; null for none.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The hashes, damaged ones as they were meant.</returns>
    /// <exception cref="ComfyAuthException">
    /// As <see cref="TokenAuditor.Audit"/>; <c>AdoptNotFound</c>: <paramref name="place"/> is a path in a container that holds no hash, or
    /// cannot be read; or the engine cannot be asked.
    /// </exception>
    public async Task<IReadOnlyList<LiveHash>> FindHashesAsync(GenAIStack stack, IReadOnlyCollection<string>? services, string? place, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        var named = place is null ? null : ContainerPath().Match(place) is { Success: true } match ? match : null;
        var found = new List<LiveHash>();
        var containers = new List<string>();
        foreach (var survey in auditor.Survey(stack, services, stop))
        {
            foreach (var service in survey.Services)
            {
                if (ContainerObserver.Find(stack, service, all) is not { } listed)
                    continue;
                containers.Add(listed.Name);
                var isNamed = named?.Groups["container"].Value == listed.Name;
                if (named is not null && !isNamed)
                    continue;

                var container = await engine.InspectContainerAsync(listed.Id, stop).ConfigureAwait(false);
                var passwords = await ReadAsync(container, stack, service, isNamed ? named!.Groups["path"].Value : null, stop).ConfigureAwait(false);
                found.AddRange(HashesIn(survey, service, container, passwords, stop));
                if (isNamed && found.TrueForAll(hash => hash.Location != place))
                {
                    var evidence = passwords[0].Problem is null ? "What stands there is not a bcrypt hash." : passwords[0].Evidence;
                    throw NotFound(place!, redactor.Redact(evidence), passwords[0].Remedy.Length > 0 ? passwords[0].Remedy : "Sync-ComfyToken -Audit -Live (--audit --live) shows where hashes stand.");
                }
            }
        }

        return named is null || containers.Contains(named.Groups["container"].Value)
            ? found
            : throw NotFound(place!, "No service behind ComfyUI-Login has a container of that name.", containers.Count == 0 ? "Make the container, or look for its name with 'docker ps --all'." : $"There are: {string.Join(", ", containers)}.");
    }

    private static ComfyAuthException NotFound(string place, string why, string remedy) =>
        new("AdoptNotFound", $"No hash can be taken from '{place}': {why}", remedy);

    private static IEnumerable<LiveHash> HashesIn(CredentialSurvey survey, ServiceDefinition service, ContainerDetails container, IReadOnlyList<LivePassword> passwords, CancellationToken stop)
    {
        var words = LiveJudge.SecretsOf(service, container).Where(secret => secret.Role == TokenRole.Password && secret.Value.Length > 0).Select(secret => new SecretText(secret.Value)).ToList();
        var places = passwords
            .Select(password => (Location: $"{container.Name}:{password.Path}", Text: password.Content is { } bytes ? TokenReading.OfContainer(service, password.Path, bytes).Written : null))
            .Concat(LiveJudge.SecretsOf(service, container).Where(secret => secret.Role == TokenRole.Hash).Select(secret => (Location: $"{container.Name}#{secret.Name}", Text: (string?)secret.Value)));
        foreach (var (location, text) in places)
        {
            if (text is not null && TokenDiagnosis.Intended(text) is { } hash)
                yield return new(service.Name, location, hash, words.Find(word => survey.IsOf(word, hash, stop)));
        }
    }

    private async Task<(IReadOnlyList<ContainerSummary> All, ComfyAuthException? Error)> ListAsync(CancellationToken stop)
    {
        try
        {
            return (await engine.ListContainersAsync(stop: stop).ConfigureAwait(false), null);
        }
        catch (DockerException error)
        {
            return ([], error);
        }
    }

    private async Task<IReadOnlyList<TokenObservation>> LookAtAsync(CredentialSurvey survey, ServiceDefinition service, IReadOnlyList<ContainerSummary> all, CancellationToken stop)
    {
        var listed = ContainerObserver.Find(survey.Stack, service, all);
        var judge = new LiveJudge(survey, service, listed?.Name ?? service.Container, redactor);
        if (listed is null)
            return judge.NotSeen($"There is no container '{service.Container}'.", $"{judge.Command("Start")} makes it, where the stack names its compose file.");

        ContainerDetails container;
        try
        {
            container = await engine.InspectContainerAsync(listed.Id, stop).ConfigureAwait(false);
        }
        catch (DockerException error)
        {
            return judge.NotSeen(error.Message, error.Remedy);
        }

        var passwords = await ReadAsync(container, survey.Stack, service, null, stop).ConfigureAwait(false);
        var origin = ContainerOrigin.Of(container);
        var (blueprint, obstacle) = ContainerBlueprint.Of(survey.Stack, service, origin);
        foreach (var variable in blueprint?.Service?.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)) ?? [])
            redactor.Register(variable.Reveal());

        var truth = LiveJudge.WithPassword(survey, service, container, stop);
        var old = HashesIn(survey, service, container, passwords, stop).Select(found => found.Hash).Concat(survey.HashesInUse.Select(use => use.Hash)).FirstOrDefault(hash => hash != truth?.Hash);
        var proof = ContainerObserver.AnswersItself(listed, service)
            ? await (Prove ?? new LoginProver(redactor) { Timeout = Patience }.ProveAsync)(service, new() { Token = truth?.Hash, Password = truth?.Password, UserName = truth?.UserName, OldToken = truth is null || old.IsDefault ? null : old }, stop).ConfigureAwait(false)
            : null;
        var newest = passwords.Max(password => password.ModifiedAt);
        var startedAt = newest > container.StartedAt ? await ServerStartAsync(container, proof, stop).ConfigureAwait(false) : container.StartedAt;
        return judge.Judge(new()
        {
            Container = container,
            IsFromCompose = origin is not null,
            Today = blueprint?.Service?.Environment,
            Obstacle = obstacle,
            Truth = truth,
            Passwords = passwords,
            Proof = proof,
            OldToken = old.IsDefault ? null : old,
            ServerStartedAt = startedAt,
        });
    }

    private async Task<IReadOnlyList<LivePassword>> ReadAsync(ContainerDetails container, GenAIStack stack, ServiceDefinition service, string? path, CancellationToken stop)
    {
        foreach (var variable in container.Environment.Where(variable => SecretRedactor.IsSecretName(variable.Name)))
            redactor.Register(variable.Reveal());
        foreach (var secret in LiveJudge.SecretsOf(service, container).Where(secret => secret.Role != TokenRole.UserName))
            redactor.Register(secret.Value);
        var passwords = await new LivePasswordReader(engine, Patience).ReadAsync(container, stack, service, path, stop).ConfigureAwait(false);
        foreach (var content in passwords.Select(password => password.Content).OfType<byte[]>())
            redactor.Register(Encoding.UTF8.GetString(content).Split('\n')[0].Trim('\uFEFF', '\r', ' ', '\t'));
        return passwords;
    }

    /// <summary>
    /// When the server in a container started; null where that is not known. A container that installs what it needs, or writes
    /// <c>PASSWORD</c>, before it starts the server is older than its server.
    /// </summary>
    private async Task<DateTimeOffset?> ServerStartAsync(ContainerDetails container, LoginProof? proof, CancellationToken stop)
    {
        if (container.State is not (ContainerState.Running or ContainerState.Paused))
            return null;

        try
        {
            var processes = await engine.TopAsync(container.Id, stop).ConfigureAwait(false);
            if (processes.Where(process => Program().IsMatch(process.Command) && !ShellLine().IsMatch(process.Command)).Max(process => process.Elapsed) is { } elapsed)
            {
                // By the clock that PASSWORD was written by. The seconds are cut off, so it may have started up to one earlier.
                return ((await engine.StatsAsync(container.Id, stop).ConfigureAwait(false))?.ReadAt ?? DateTimeOffset.UtcNow) - elapsed;
            }
        }
        catch (DockerException)
        {
            // The image or the engine has no ps.
        }

        // Who answers has started. That it has another name does not make it younger than its container.
        return proof?.RefusesNoToken is not null ? container.StartedAt : null;
    }

    [GeneratedRegex(@"(?:^|[/\s])python[0-9.]*(?:\s+-\S+)*\s+(?:\S*/)?main\.py(?:\s|$)", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Program();

    // It names the program long before it starts it.
    [GeneratedRegex(@"^\S*sh\s+-\w*c\s", RegexOptions.CultureInvariant)]
    private static partial Regex ShellLine();

    // A file of a stack is named relative to its root, and so never by a name, a colon and a slash.
    [GeneratedRegex(@"^(?<container>[A-Za-z0-9][A-Za-z0-9_.-]+):(?<path>/.*[^/])$", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerPath();
}
