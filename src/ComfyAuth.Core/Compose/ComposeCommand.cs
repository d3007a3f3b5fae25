using System.Globalization;
using System.Text.RegularExpressions;
using ComfyAuth.Processes;
using ComfyAuth.Secrets;

namespace ComfyAuth.Compose;

/// <summary>
/// The compose command of this machine. Secrets never stand in its arguments, which every user of the machine can read: it
/// takes them out of files by itself.
/// </summary>
public sealed partial class ComposeCommand
{
    /// <summary>What names are of.</summary>
    internal const string NameRemedy = "Names are of letters, digits, dots, dashes and underscores, with a letter or digit first.";

    private const int TailLines = 20;

    // Python, in which the old command is written, takes long to start on a busy machine.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromMinutes(1);

    private readonly string _executable;
    private readonly SecretRedactor _redactor;
    private readonly IReadOnlyDictionary<string, string?>? _environment;

    private ComposeCommand(string executable, Version version, bool isPlugin, SecretRedactor redactor, IReadOnlyDictionary<string, string?>? environment)
    {
        _executable = executable;
        Version = version;
        IsPlugin = isPlugin;
        _redactor = redactor;
        _environment = environment;
    }

    /// <summary>Its version.</summary>
    public Version Version { get; }

    /// <summary>Whether it is <c>docker compose</c>; otherwise it is <c>docker-compose</c>.</summary>
    public bool IsPlugin { get; }

    /// <summary>Finds the command: <c>docker compose</c>, else <c>docker-compose</c>.</summary>
    /// <param name="redactor">Knows the secrets that must not appear in what the command says.</param>
    /// <param name="stop">Ends the search.</param>
    /// <param name="searchPath">The folders to look in, separated as in <c>PATH</c>; this process's <c>PATH</c> if not given.</param>
    /// <param name="environment">
    /// Variables that the command gets instead of this process's own, such as <c>DOCKER_HOST</c>; a null value: it does not get the variable.
    /// </param>
    /// <exception cref="ComfyAuthException"><c>ComposeNotInstalled</c>; <c>ComposeTimedOut</c>: none works, and one does not tell its version within a minute.</exception>
    public static Task<ComposeCommand> FindAsync(
        SecretRedactor redactor, CancellationToken stop, string? searchPath = null, IReadOnlyDictionary<string, string?>? environment = null) =>
        FindAsync(redactor, ProbeTimeout, searchPath, environment, stop);

    /// <summary>As <see cref="FindAsync(SecretRedactor, CancellationToken, string?, IReadOnlyDictionary{string, string?}?)"/>, with other patience.</summary>
    internal static async Task<ComposeCommand> FindAsync(
        SecretRedactor redactor, TimeSpan patience, string? searchPath, IReadOnlyDictionary<string, string?>? environment, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(redactor);
        string? silent = null;
        foreach (var (name, isPlugin) in new[] { ("docker", true), ("docker-compose", false) })
        {
            foreach (var found in ProgramSearch.Locate(name, searchPath))
            {
                try
                {
                    if (await ProbeAsync(found, isPlugin, patience, stop).ConfigureAwait(false) is { } version)
                        return new ComposeCommand(found, version, isPlugin, redactor, environment);
                }
                catch (OperationCanceledException) when (!stop.IsCancellationRequested)
                {
                    silent ??= isPlugin ? $"{found} compose" : found;
                }
            }
        }

        if (silent is not null)
        {
            throw new ComfyAuthException(
                "ComposeTimedOut",
                $"'{silent} version' did not answer within {Duration.Format(patience)}, and no other compose command works.",
                "See that it answers, and what keeps the machine busy, then start again.");
        }

        throw new ComfyAuthException(
            "ComposeNotInstalled",
            "Neither 'docker compose' nor 'docker-compose' works on this machine.",
            "Install Docker Desktop, or the package docker-compose-plugin beside Docker Engine, and see that 'docker compose version' answers.");
    }

    /// <summary>Whether a service, a container or a project may be called so.</summary>
    internal static bool IsName(string name) => ServiceName().IsMatch(name);

    /// <summary>Starts services in the background, and recreates those whose settings changed.</summary>
    /// <param name="project">The project.</param>
    /// <param name="services">The services; all of them if empty.</param>
    /// <param name="progress">Gets each line as it is said, on another thread.</param>
    /// <param name="stop">Kills the command and what it started; the engine goes on with what it was told already.</param>
    /// <exception cref="ComposeCommandException">The command failed.</exception>
    /// <exception cref="ComfyAuthException"><c>ComposeArgumentInvalid</c>: a name is none; <c>ComposeNotInstalled</c>: the command is gone.</exception>
    public Task UpAsync(ComposeProject project, IReadOnlyList<string> services, IProgress<ComposeProgress>? progress, CancellationToken stop) =>
        RunAsync(project, ["up", "-d"], services, progress, stop);

    /// <summary>Builds the images of services, as their compose files say.</summary>
    /// <inheritdoc cref="UpAsync"/>
    public Task BuildAsync(ComposeProject project, IReadOnlyList<string> services, IProgress<ComposeProgress>? progress, CancellationToken stop) =>
        RunAsync(project, ["build"], services, progress, stop);

    /// <summary>Pulls the images of services.</summary>
    /// <inheritdoc cref="UpAsync"/>
    public Task PullAsync(ComposeProject project, IReadOnlyList<string> services, IProgress<ComposeProgress>? progress, CancellationToken stop) =>
        RunAsync(project, ["pull"], services, progress, stop);

    /// <summary>Stops and removes the project's containers and networks; volumes stay.</summary>
    /// <inheritdoc cref="UpAsync"/>
    public Task DownAsync(ComposeProject project, IProgress<ComposeProgress>? progress, CancellationToken stop) =>
        RunAsync(project, ["down"], [], progress, stop);

    /// <summary>Restarts services; their containers keep the environment that they were made with.</summary>
    /// <inheritdoc cref="UpAsync"/>
    public Task RestartAsync(ComposeProject project, IReadOnlyList<string> services, IProgress<ComposeProgress>? progress, CancellationToken stop) =>
        RunAsync(project, ["restart"], services, progress, stop);

    /// <summary>Replaces the container of one service, so that it gets its environment anew. The services that it depends on are left alone.</summary>
    /// <param name="project">The project.</param>
    /// <param name="service">The service.</param>
    /// <param name="progress">Gets each line as it is said, on another thread.</param>
    /// <param name="stop">Kills the command and what it started; the engine goes on with what it was told already.</param>
    /// <param name="grace">How long the old container may take to end by itself; null: 10 s.</param>
    /// <exception cref="ComposeCommandException">The command failed.</exception>
    /// <exception cref="ComfyAuthException"><c>ComposeArgumentInvalid</c>: a name is none; <c>ComposeNotInstalled</c>: the command is gone.</exception>
    public Task RecreateAsync(ComposeProject project, string service, IProgress<ComposeProgress>? progress, CancellationToken stop, TimeSpan? grace = null) =>
        RunAsync(
            project,
            ["up", "-d", "--force-recreate", "--no-deps", .. grace is { } time ? ["--timeout", Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>()],
            [service],
            progress,
            stop);

    private async Task RunAsync(
        ComposeProject project, string[] verb, IReadOnlyList<string> services, IProgress<ComposeProgress>? progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(project);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentOutOfRangeException.ThrowIfZero(project.Files.Count, nameof(project));

        var tail = new Queue<string>();
        void Say(string line, bool isError)
        {
            var said = ComposeProgress.Parse(_redactor.Redact(line));
            if (said.Line.Length == 0)
                return;
            progress?.Report(said);
            if (!isError)
                return;
            tail.Enqueue(said.Line);
            if (tail.Count > TailLines)
                tail.Dequeue();
        }

        var run = new ChildProcess(_executable, [.. Arguments(project), .. verb, .. services.Select(Name)], Path.GetDirectoryName(project.Files[0]), _environment);
        var exitCode = await run.RunAsync(Say, stop).ConfigureAwait(false)
            ?? throw new ComfyAuthException("ComposeNotInstalled", $"'{_executable}' cannot be started any more.", "Install Docker Compose again.");
        if (exitCode != 0)
            throw new ComposeCommandException(string.Join(' ', verb), exitCode, _redactor.Redact(string.Join('\n', tail)));
    }

    private IEnumerable<string> Arguments(ComposeProject project)
    {
        if (IsPlugin)
            yield return "compose";
        yield return "--ansi";
        yield return "never";
        // A global option since 2.19; without a terminal the older ones print plain lines anyway.
        if (Version >= new Version(2, 19))
        {
            yield return "--progress";
            yield return "plain";
        }

        if (project.Name is not null)
        {
            yield return "--project-name";
            yield return Name(project.Name);
        }

        if (project.EnvironmentFile is not null)
        {
            yield return "--env-file";
            yield return project.EnvironmentFile;
        }

        foreach (var file in project.Files)
        {
            yield return "--file";
            yield return file;
        }
    }

    /// <summary>A name that begins with a dash would be taken for an option.</summary>
    private static string Name(string name) => IsName(name) ? name : throw new ComfyAuthException("ComposeArgumentInvalid", $"'{name}' is no name that Compose knows.", NameRemedy);

    private static async Task<Version?> ProbeAsync(string executable, bool isPlugin, TimeSpan patience, CancellationToken stop)
    {
        Version? version = null;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(patience);
        string[] arguments = isPlugin ? ["compose", "version", "--short"] : ["version", "--short"];
        var exitCode = await new ChildProcess(executable, arguments, null).RunAsync(
            (line, isError) =>
            {
                if (!isError && VersionNumber().Match(line) is { Success: true } match)
                    version ??= new Version(Number(match, "major"), Number(match, "minor"), Number(match, "patch"));
            },
            deadline.Token).ConfigureAwait(false);
        return exitCode == 0 ? version : null;
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceName();

    [GeneratedRegex(@"\Av?(?<major>[0-9]{1,6})\.(?<minor>[0-9]{1,6})\.(?<patch>[0-9]{1,6})", RegexOptions.CultureInvariant)]
    private static partial Regex VersionNumber();
}
