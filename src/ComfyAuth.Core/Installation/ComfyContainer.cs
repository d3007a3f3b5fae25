using System.Diagnostics;
using System.Security.Cryptography;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation;

/// <summary>The container that is installed into, and ComfyUI in it.</summary>
internal sealed class ComfyContainer
{
    /// <summary>Tells the processes of a run from all others; what they start inherits it.</summary>
    private const string RunVariable = "COMFYAUTH_RUN";

    /// <summary>Ends the processes that have a variable. The engine may be about to start one, so it looks until there was none for half a second.</summary>
    private const string End = """
        import os, signal, sys, time
        def left():
            found = 0
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/" + pid + "/environ", "rb") as variables:
                        if os.fsencode(sys.argv[1]) in variables.read().split(b"\0"):
                            os.kill(int(pid), signal.SIGKILL)
                            found += 1
                except OSError:
                    pass
            return found
        last = begun = time.monotonic()
        while time.monotonic() < last + 0.5:
            if left():
                last = time.monotonic()
            if last > begun + 5:
                sys.exit(1)
            time.sleep(0.05)
        """;

    private const string PasswordInComfyUI = "/login/PASSWORD";
    private const int CannotBeStarted = 126;
    private const int NotFound = 127;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly InstallContext _context;
    private string? _python;

    private ComfyContainer(InstallContext context, ContainerDetails details, bool answersItself) => (_context, Details, AnswersItself) = (context, details, answersItself);

    /// <summary>What the engine knows of it.</summary>
    public ContainerDetails Details { get; }

    /// <summary>Whether it is what answers at the service's address; what another one says proves nothing, and no secret is for it.</summary>
    public bool AnswersItself { get; }

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => Details.State == ContainerState.Running;

    /// <summary>Finds the container of the service; null where there is none.</summary>
    /// <param name="context">The installation.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<ComfyContainer?> FindAsync(InstallContext context, CancellationToken stop)
    {
        var all = await context.Engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        if (ContainerObserver.Find(context.Stack, context.Service, all) is not { } listed)
            return null;
        var details = await context.Engine.InspectContainerAsync(listed.Id, stop).ConfigureAwait(false);
        return new(context, details, ContainerObserver.AnswersItself(listed, context.Service));
    }

    /// <summary>Finds the container, which must run.</summary>
    /// <exception cref="ComfyAuthException"><c>ContainerAbsent</c>, <c>ContainerNotRunning</c>.</exception>
    /// <inheritdoc cref="FindAsync"/>
    public static async Task<ComfyContainer> FindRunningAsync(InstallContext context, CancellationToken stop)
    {
        var container = await FindAsync(context, stop).ConfigureAwait(false)
            ?? throw new ComfyAuthException("ContainerAbsent", $"There is no container '{context.Service.Container}'.", "Install it with the container, or make it before.");
        container.MustRun();
        return container;
    }

    /// <summary>Sees that it runs.</summary>
    /// <exception cref="ComfyAuthException"><c>ContainerNotRunning</c>.</exception>
    public void MustRun()
    {
        if (!IsRunning)
            throw new ComfyAuthException("ContainerNotRunning", $"The container '{Details.Name}' does not run ({Details.State.ToString().ToLowerInvariant()}).", "Start it, and see in its log why it ended.");
    }

    /// <summary>Where ComfyUI lies, as an absolute path without a slash at its end.</summary>
    /// <exception cref="ComfyAuthException"><c>ContainerFilesNotSeen</c>, <c>ComfyUINotFound</c>.</exception>
    public async Task<string> FolderAsync(CancellationToken stop)
    {
        if (_context.ComfyFolder is { } known)
            return known;

        // To show a path, the engine would make a folder at each source of a mount that is missing.
        var sources = await MountSources.LookAsync(Details, _context.Stack, _context.Engine.Endpoint, stop).ConfigureAwait(false);
        if (sources.Gone.Count > 0)
            throw NotSeen($"on the host there is nothing at the source of {string.Join(", ", sources.Gone)}, and the engine would make a folder there", "Put back what is mounted there, or take the mount out of the compose file.");
        if (sources.NotSeen.Count > 0 && !IsRunning)
            throw NotSeen($"{sources.NotSeen[0].TrimEnd('.')}; where one is missing, the engine would make a folder there", "Start the container, or run this on the engine's own machine.");

        List<string> folders = [];
        if (_context.Service.PasswordFile is { } file && file.EndsWith(PasswordInComfyUI, StringComparison.Ordinal))
            folders.Add(file[..^PasswordInComfyUI.Length]);
        folders.AddRange(LivePasswordReader.Places(Details).Select(place => place.Path).Where(path => path.EndsWith(PasswordInComfyUI, StringComparison.Ordinal)).Select(path => path[..^PasswordInComfyUI.Length]));
        foreach (var folder in folders.Distinct().Where(folder => folder.Length > 0))
        {
            if (await HeadAsync(folder + "/main.py", stop).ConfigureAwait(false) is not null)
                return _context.ComfyFolder = folder;
        }

        throw new ComfyAuthException(
            "ComfyUINotFound",
            $"No ComfyUI was found in the container '{Details.Name}' at {string.Join(", ", folders.Distinct())}.",
            $"If it stands elsewhere, say where with 'passwordFile:' in {GenAIStack.FileName}; if it is still being installed, wait for it with Wait-GenAIContainer.");

        ComfyAuthException NotSeen(string why, string remedy) => new("ContainerFilesNotSeen", $"The files of the container '{Details.Name}' were not looked at: {why}.", remedy);
    }

    /// <summary>What a path is; null where there is nothing.</summary>
    public Task<ContainerPathStat?> HeadAsync(string path, CancellationToken stop) => _context.Engine.HeadArchiveAsync(Details.Id, path, stop);

    /// <summary>The text of a small file; null where there is none.</summary>
    public async Task<string?> ReadAsync(string path, int largest, CancellationToken stop)
    {
        try
        {
            if (await HeadAsync(path, stop).ConfigureAwait(false) is null or { IsDirectory: true })
                return null;
            return System.Text.Encoding.UTF8.GetString((await _context.Engine.ReadFileAsync(Details.Id, path, largest, stop).ConfigureAwait(false)).Content.Span);
        }
        catch (DockerException error) when (error.Code is "DockerNotFound" or "DockerPathNotFile" or "DockerFileTooLarge")
        {
            return null;
        }
    }

    /// <summary>Runs a program. One that is given up is ended, with everything that it started.</summary>
    /// <param name="command">It and its arguments.</param>
    /// <param name="user">As whom; null: as the container's own user.</param>
    /// <param name="stop">Gives up.</param>
    /// <param name="patience">When to give it up; null: it is waited for as long as it runs.</param>
    /// <returns>What it gave; null where there is no such program.</returns>
    /// <exception cref="ComfyAuthException"><c>ContainerCommandTimedOut</c>.</exception>
    public async Task<ExecResult?> RunAsync(IReadOnlyList<string> command, string? user, CancellationToken stop, CommandPatience? patience = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var started = Stopwatch.StartNew();
        var run = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var options = new ExecOptions
        {
            User = user,
            WorkingDirectory = "/",

            // A program that asks for a password would wait for ever.
            Environment = new Dictionary<string, string> { ["GIT_TERMINAL_PROMPT"] = "0", ["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes", [RunVariable] = run },
            Heard = Wait,
        };
        try
        {
            Wait();
            var result = await _context.Engine.ExecAsync(Details.Id, command, options, deadline.Token).ConfigureAwait(false);
            return result.ExitCode is CannotBeStarted or NotFound ? null : result;
        }
        catch (OperationCanceledException)
        {
            // The engine lets a command go on that nobody listens to any more.
            var isEnded = await EndAsync(run, user).ConfigureAwait(false);
            var left = isEnded ? "" : $" It could not be ended, and may still run: see 'docker top {Details.Name}'.";
            if (!stop.IsCancellationRequested)
                throw new ComfyAuthException("ContainerCommandTimedOut", $"'{string.Join(' ', command)}' in the container '{Details.Name}' was given up: {patience!.Why(started.Elapsed)}.{left}", "See that the container reaches what it asks, such as the network, then start again.");
            if (!isEnded)
                _context.Tell($"'{command[0]}' was given up.{left}", 0, null);
            throw;
        }

        void Wait()
        {
            if (patience is not null)
                deadline.CancelAfter(patience.Left(started.Elapsed));
        }
    }

    /// <summary>Runs a program of Python.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public async Task<ExecResult> RunPythonAsync(IReadOnlyList<string> arguments, string? user, CancellationToken stop)
    {
        _python ??= await PythonAsync(stop).ConfigureAwait(false);
        return await RunAsync([_python, .. arguments], user, stop).ConfigureAwait(false) ?? throw NoPython();
    }

    /// <summary>Ends the processes of a run, whose own user asks for it; false where that could not be done.</summary>
    private async Task<bool> EndAsync(string run, string? user)
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            return (await _context.Engine.ExecAsync(Details.Id, [_python ?? "python3", "-c", End, $"{RunVariable}={run}"], new() { User = user, WorkingDirectory = "/" }, deadline.Token).ConfigureAwait(false)).ExitCode == 0;
        }
        catch (Exception error) when (error is DockerException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Restarts it, and waits until ComfyUI answers.</summary>
    /// <exception cref="ComfyAuthException"><c>ContainerWaitFailed</c>, <c>ContainerWaitStalled</c>, <c>ContainerWaitTimedOut</c>.</exception>
    public async Task RestartAsync(CancellationToken stop)
    {
        _context.Journal.Note(InstallChangeKind.Restarted, Details.Name);
        _context.Tell($"Restarting the container '{Details.Name}'", 0, null);

        // It is not made anew, which would lose what was put into its own file system.
        await _context.Engine.RestartAsync(Details.Id, stop: stop).ConfigureAwait(false);
        await WaitUntilLiveAsync(_context, stop).ConfigureAwait(false);
    }

    /// <summary>Waits until the service answers.</summary>
    /// <exception cref="ComfyAuthException"><c>ContainerWaitFailed</c>, <c>ContainerWaitStalled</c>, <c>ContainerWaitTimedOut</c>.</exception>
    public static async Task WaitUntilLiveAsync(InstallContext context, CancellationToken stop)
    {
        var result = await WaitAsync(context, context.Stack, context.Service, context.Options.Timeout, stop).ConfigureAwait(false);
        if (result.Outcome == ContainerWaitOutcome.Reached)
            return;
        var evidence = result.Diagnosis.Evidence.Count == 0 ? "" : $" Seen: {string.Join("; ", result.Diagnosis.Evidence)}.";
        throw new ComfyAuthException($"ContainerWait{result.Outcome}", result.Message + evidence, result.Remedy);
    }

    /// <summary>Waits until a service answers, and tells how that ended. It is asked without a token: that it asks for one is an answer.</summary>
    /// <param name="context">The installation.</param>
    /// <param name="stack">The stack, as it is or will be.</param>
    /// <param name="service">The service in it.</param>
    /// <param name="timeout">How long; zero for one look.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<ContainerWaitResult> WaitAsync(InstallContext context, GenAIStack stack, ServiceDefinition service, TimeSpan timeout, CancellationToken stop)
    {
        // An answer can wait for a bcrypt, or for a model that is being loaded.
        var observer = new ContainerObserver(context.Engine, context.Redactor, (_, _) => null) { Prober = new() { Timeout = Patience } };
        var waiter = new ContainerWaiter(context.Engine, observer, context.Redactor);
        var options = new ContainerWaitOptions { Goal = ContainerGoal.Live, Timeout = timeout };
        var progress = timeout == TimeSpan.Zero ? null : new ContainerProgress(line => context.Tell(line, 0, null));
        await foreach (var result in waiter.WaitAsync(stack, [service], options, progress, stop).ConfigureAwait(false))
            return result;
        throw new InvalidOperationException("A wait for one container ends with one result.");
    }

    /// <summary>Speaks with ComfyUI, with our token where it asks for one.</summary>
    /// <returns>The client; null where somebody else answers, or the token is not known.</returns>
    public ComfyClient? Client()
    {
        var token = BearerToken.Of(_context.Stack, _context.Service, _context.Redactor);
        return AnswersItself && (token is not null || _context.Service.Auth == AuthKind.None) ? new(_context.Service.Url, ComfyCredential.Bearer(token), _context.Redactor) : null;
    }

    /// <summary>What the last lines of a program say, on one line and without secrets.</summary>
    public string Said(ExecResult result)
    {
        var text = result.StandardError.Trim().Length > 0 ? result.StandardError : result.StandardOutput;

        // What stands before a carriage return was written over, such as how far git was.
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(line => line[(line.LastIndexOf('\r') + 1)..]);
        var said = string.Join(' ', lines.TakeLast(4));
        return ServiceText.Clean(said.Length == 0 ? $"exit code {result.ExitCode}" : said, _context.Redactor);
    }

    /// <summary>The Python that ComfyUI runs with: the one that does, else that of its virtual environment, else the container's.</summary>
    private async Task<string> PythonAsync(CancellationToken stop)
    {
        if (await RunningPythonAsync(stop).ConfigureAwait(false) is { } running)
            return running;

        var folder = await FolderAsync(stop).ConfigureAwait(false);
        foreach (var environment in new[] { folder[..folder.LastIndexOf('/')] + "/venv", folder + "/venv", folder + "/.venv" })
        {
            if (await HeadAsync(environment + "/bin/python", stop).ConfigureAwait(false) is not null)
                return environment + "/bin/python";
        }

        foreach (var name in new[] { "python3", "python" })
        {
            if (await RunAsync([name, "--version"], null, stop).ConfigureAwait(false) is { ExitCode: 0 })
                return name;
        }

        throw NoPython();
    }

    private async Task<string?> RunningPythonAsync(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        try
        {
            foreach (var words in (await _context.Engine.TopAsync(Details.Id, deadline.Token).ConfigureAwait(false)).Select(process => process.Command.Split(' ')))
            {
                if (words is [['/', ..] program, ..] && program[(program.LastIndexOf('/') + 1)..].StartsWith("python", StringComparison.Ordinal) && words.Any(word => word == "main.py" || word.EndsWith("/main.py", StringComparison.Ordinal)))
                    return program;
            }
        }
        catch (Exception error) when (error is DockerException || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // The image or the engine has no ps.
        }

        return null;
    }

    private ComfyAuthException NoPython() => new("PythonNotFound", $"The container '{Details.Name}' has no Python.", "ComfyUI runs with Python: see that the container is the one of ComfyUI.");
}
