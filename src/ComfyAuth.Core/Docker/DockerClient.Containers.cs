using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;

namespace ComfyAuth.Docker;

/// <content>Containers.</content>
public sealed partial class DockerClient
{
    private const int KeptOutput = 4 * 1024 * 1024;

    /// <summary>Lists containers.</summary>
    /// <param name="all">Whether to list those too that do not run.</param>
    /// <param name="names">Only those with one of these names, exactly; null or empty: any.</param>
    /// <param name="labels">Only those with all of these labels, written <c>key</c> or <c>key=value</c>.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<IReadOnlyList<ContainerSummary>> ListContainersAsync(
        bool all = true, IReadOnlyCollection<string>? names = null, IReadOnlyCollection<string>? labels = null, CancellationToken stop = default)
    {
        // The filter is a regular expression for any part of the name.
        var filters = Filters(("name", (names ?? []).Select(name => $"^/{Regex.Escape(name)}$")), ("label", labels ?? []));
        const string what = "the list of containers";
        var answer = await GetAsync($"/containers/json?all={(all ? 1 : 0)}&filters={filters}", what, DockerJson.Default.ContainerListAnswerArray, stop).ConfigureAwait(false);
        return [.. EngineValues.Items(answer).Select(container => ContainerSummary.From(container with { Id = Identifier(container.Id, what) }))];
    }

    /// <summary>What the engine knows of a container.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is no such container.</exception>
    public async Task<ContainerDetails> InspectContainerAsync(string container, CancellationToken stop = default)
    {
        var what = $"the details of the container {Described(container)}";
        var answer = await GetAsync($"/containers/{Segment(container)}/json", what, DockerJson.Default.ContainerAnswer, stop).ConfigureAwait(false);
        return ContainerDetails.From(answer with { Id = Identifier(answer.Id, what) });
    }

    /// <summary>Reads the log of a container, line by line.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="options">Which part of it; null: all of it.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The lines; a line of more than 1 MiB comes in pieces.</returns>
    public async IAsyncEnumerable<ContainerLogLine> LogsAsync(string container, ContainerLogOptions? options = null, [EnumeratorCancellation] CancellationToken stop = default)
    {
        options ??= new();
        var tty = options.Tty ?? (await InspectContainerAsync(container, stop).ConfigureAwait(false)).Tty;
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/containers/{Segment(container)}/logs?stdout=1&stderr=1&timestamps={(options.Timestamps ? 1 : 0)}&follow={(options.Follow ? 1 : 0)}")
            + (options.Tail is { } tail ? string.Create(CultureInfo.InvariantCulture, $"&tail={tail}") : "")
            + (options.Since is { } since ? "&since=" + UnixSeconds(since) : "");
        var what = $"the log of the container {Described(container)}";

        var (_, body) = await OpenAsync(HttpMethod.Get, path, what, null, options.Follow ? Timeout.InfiniteTimeSpan : _options.RequestTimeout, stop, _options.RequestTimeout).ConfigureAwait(false);
        await using var _ = body.ConfigureAwait(false);
        var reader = new ContainerLogReader(tty, options.Timestamps);
        var buffer = new byte[64 * 1024];
        for (var length = -1; length != 0;)
        {
            length = await body.ReadAsync(buffer, stop).ConfigureAwait(false);
            InvalidDataException? invalid = null;
            try
            {
                if (length > 0)
                    reader.Append(buffer.AsSpan(0, length));
                else
                    reader.Complete();
            }
            catch (InvalidDataException error)
            {
                invalid = error;
            }

            // What came before the fault is given all the same.
            foreach (var line in reader.Take())
                yield return line;
            if (invalid is not null)
                throw await TranslateAsync(invalid, what, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the counters of a container once.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The counters; null when the container does not run.</returns>
    public async Task<ContainerStats?> StatsAsync(string container, CancellationToken stop = default) =>
        ContainerStats.From(await GetAsync(
            $"/containers/{Segment(container)}/stats?stream=0&one-shot=1",
            $"the statistics of the container {Described(container)}",
            DockerStatsJson.Default.StatsAnswer,
            stop).ConfigureAwait(false));

    /// <summary>Lists the processes of a running container; runs nothing inside it.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException"><c>DockerConflict</c>: the container does not run.</exception>
    public async Task<IReadOnlyList<ContainerProcess>> TopAsync(string container, CancellationToken stop = default)
    {
        var answer = await GetAsync(
            $"/containers/{Segment(container)}/top?ps_args={Uri.EscapeDataString("-eo pid,etime,args")}",
            $"the processes of the container {Described(container)}",
            DockerJson.Default.TopAnswer,
            stop).ConfigureAwait(false);
        var titles = answer.Titles ?? [];
        var (pid, elapsed, command) = (Array.IndexOf(titles, "PID"), Array.IndexOf(titles, "ELAPSED"), titles.Length - 1);
        return
        [
            .. EngineValues.Items(answer.Processes).Where(row => row.Length == titles.Length && row.Length > 0).Select(row => new ContainerProcess(
                pid >= 0 && int.TryParse(row[pid], CultureInfo.InvariantCulture, out var id) ? id : 0,
                elapsed >= 0 ? Elapsed(row[elapsed]) : null,
                row[command] ?? "")),
        ];
    }

    /// <summary>Runs a command in a running container and waits for its end.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="command">The program and its arguments; no shell.</param>
    /// <param name="options">How; null: as the container's own process.</param>
    /// <param name="stop">Stops waiting; the command goes on.</param>
    /// <exception cref="DockerException"><c>DockerConflict</c>: the container does not run.</exception>
    public async Task<ExecResult> ExecAsync(string container, IReadOnlyList<string> command, ExecOptions? options = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        options ??= new();
        var what = $"a command in the container {Described(container)}";
        var created = await RequestAsync(
            HttpMethod.Post,
            $"/containers/{Segment(container)}/exec",
            what,
            DockerJson.Default.CreatedAnswer,
            Json(
                new(AttachStdout: true, AttachStderr: true, command, options.User, options.WorkingDirectory, options.Environment?.Select(variable => $"{variable.Key}={variable.Value}")),
                DockerJson.Default.ExecRequest),
            _options.RequestTimeout,
            stop,
            Known(options.Environment)).ConfigureAwait(false);
        var exec = Segment(Identifier(created.Id, what));

        using MemoryStream output = new(), error = new();
        var truncated = false;
        var frames = new FrameReader((stream, payload, _) =>
        {
            var kept = FrameReader.StreamOf(stream) == ContainerLogStream.StandardError ? error : output;
            var taken = Math.Min(payload.Length, KeptOutput - (int)kept.Length);
            truncated |= taken < payload.Length;
            kept.Write(payload[..taken]);
        });
        var (_, body) = await OpenAsync(HttpMethod.Post, $"/exec/{exec}/start", what, Json(new(Detach: false, Tty: false), DockerJson.Default.ExecStartRequest), Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var buffer = new byte[16 * 1024];
            for (var length = -1; length != 0;)
            {
                length = await body.ReadAsync(buffer, stop).ConfigureAwait(false);
                options.Heard?.Invoke();
                try
                {
                    if (length > 0)
                        frames.Append(buffer.AsSpan(0, length));
                    else
                        frames.Complete();
                }
                catch (InvalidDataException invalid)
                {
                    throw await TranslateAsync(invalid, what, stop).ConfigureAwait(false);
                }
            }
        }

        var exitCode = await ExitCodeAsync(exec, what, stop).ConfigureAwait(false);
        return new(exitCode, Text(output), Text(error), truncated);

        static string Text(MemoryStream kept) => Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    /// <summary>Makes a container; does not start it.</summary>
    /// <param name="creation">What it is to be.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Its identifier.</returns>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: the image is not there. <c>DockerConflict</c>: the name is taken.</exception>
    public async Task<string> CreateContainerAsync(ContainerCreation creation, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(creation);
        var what = creation.Name is { } name ? $"making the container {Described(name)}" : $"making a container of {Described(creation.Image)}";
        var answer = await RequestAsync(
            HttpMethod.Post,
            "/containers/create" + (creation.Name is { } wanted ? "?name=" + Uri.EscapeDataString(wanted) : ""),
            what,
            DockerJson.Default.CreatedAnswer,
            Json(creation.ToRequest(), DockerJson.Default.CreateRequest),
            _options.RequestTimeout,
            stop,
            Known(creation.Environment)).ConfigureAwait(false);
        return Identifier(answer.Id, what);
    }

    /// <summary>Starts a container; nothing happens when it runs.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    public Task StartAsync(string container, CancellationToken stop = default) =>
        ActAsync(container, "start", "", "starting", TimeSpan.Zero, stop);

    /// <summary>Stops a container: asks it to end, and kills it after the grace period; nothing happens when it does not run.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="grace">How long it may take to end by itself; null: 10 s.</param>
    /// <param name="stop">Gives up.</param>
    public Task StopAsync(string container, TimeSpan? grace = null, CancellationToken stop = default) =>
        ActAsync(container, "stop", Grace(grace), "stopping", grace ?? DefaultGrace, stop);

    /// <summary>Stops a container and starts it again. Its environment stays as it was made; a changed one needs a new container.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="grace">How long it may take to end by itself; null: 10 s.</param>
    /// <param name="stop">Gives up.</param>
    public Task RestartAsync(string container, TimeSpan? grace = null, CancellationToken stop = default) =>
        ActAsync(container, "restart", Grace(grace), "restarting", grace ?? DefaultGrace, stop);

    /// <summary>Sends a signal to the main process of a container.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="signal">Such as <c>SIGTERM</c>; by default the one that cannot be refused.</param>
    /// <param name="stop">Gives up.</param>
    public Task KillAsync(string container, string signal = "SIGKILL", CancellationToken stop = default) =>
        ActAsync(container, "kill", "?signal=" + Uri.EscapeDataString(signal), "killing", TimeSpan.Zero, stop);

    /// <summary>Freezes the processes of a container.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    public Task PauseAsync(string container, CancellationToken stop = default) =>
        ActAsync(container, "pause", "", "pausing", TimeSpan.Zero, stop);

    /// <summary>Lets the processes of a paused container go on.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    public Task UnpauseAsync(string container, CancellationToken stop = default) =>
        ActAsync(container, "unpause", "", "unpausing", TimeSpan.Zero, stop);

    /// <summary>Removes a container and its anonymous volumes.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="force">Whether to kill it when it runs.</param>
    /// <param name="stop">Gives up.</param>
    public Task RemoveContainerAsync(string container, bool force = false, CancellationToken stop = default) =>
        CommandAsync(HttpMethod.Delete, $"/containers/{Segment(container)}?v=1&force={(force ? 1 : 0)}", $"removing the container {Described(container)}", null, _options.RequestTimeout, stop);

    /// <summary>Waits until a container does not run; at once when it does not.</summary>
    /// <param name="container">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Its exit code.</returns>
    public async Task<int> WaitAsync(string container, CancellationToken stop = default)
    {
        var what = $"waiting for the container {Described(container)}";
        var answer = await RequestAsync(HttpMethod.Post, $"/containers/{Segment(container)}/wait", what, DockerJson.Default.WaitAnswer, null, Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
        return answer.Error?.Message is { Length: > 0 } message
            ? throw DockerErrors.Refused(Endpoint, what, System.Net.HttpStatusCode.InternalServerError, new SecretRedactor().Redact(message))
            : answer.StatusCode;
    }

    /// <summary>The identifier in an answer: what it is of is asked for by it later on.</summary>
    private string Identifier(string? id, string what) =>
        string.IsNullOrWhiteSpace(id) || id is "." or ".." ? throw DockerErrors.Protocol(Endpoint, what, "it has no identifier") : id;

    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ExitCodeInterval = TimeSpan.FromMilliseconds(20);

    private static string Grace(TimeSpan? grace) =>
        grace is { } time ? string.Create(CultureInfo.InvariantCulture, $"?t={(int)Math.Ceiling(time.TotalSeconds)}") : "";

    /// <summary>Reads <c>[[days-]hours:]minutes:seconds</c>, as ps writes it.</summary>
    private static TimeSpan? Elapsed(string? text)
    {
        var parts = (text ?? "").Trim().Split('-', ':');
        if (parts.Length is < 2 or > 4)
            return null;

        long seconds = 0;
        var factors = new[] { 1, 60, 3600, 86400 };
        for (var index = 0; index < parts.Length; index++)
        {
            if (!ushort.TryParse(parts[parts.Length - 1 - index], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                return null;
            seconds += (long)value * factors[index];
        }

        return TimeSpan.FromSeconds(seconds);
    }

    private static SecretRedactor Known(IReadOnlyDictionary<string, string>? environment)
    {
        var secrets = new SecretRedactor();
        foreach (var value in environment?.Values ?? [])
            secrets.Register(value);
        return secrets;
    }

    private Task ActAsync(string container, string action, string query, string doing, TimeSpan extra, CancellationToken stop) =>
        CommandAsync(HttpMethod.Post, $"/containers/{Segment(container)}/{action}{query}", $"{doing} the container {Described(container)}", null, _options.RequestTimeout + extra, stop);

    /// <summary>The engine may close the stream a moment before it knows the exit code.</summary>
    private async Task<int> ExitCodeAsync(string exec, string what, CancellationToken stop) =>
        await WithinAsync(
            _options.RequestTimeout,
            what,
            async token =>
            {
                while (true)
                {
                    var answer = await GetAsync($"/exec/{exec}/json", what, DockerJson.Default.ExecAnswer, token).ConfigureAwait(false);
                    if (answer is { Running: false, ExitCode: { } code })
                        return code;
                    await Task.Delay(ExitCodeInterval, token).ConfigureAwait(false);
                }
            },
            stop).ConfigureAwait(false);
}
