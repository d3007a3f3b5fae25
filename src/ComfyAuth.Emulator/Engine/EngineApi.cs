using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ComfyAuth.Docker;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Which request is answered how. See https://docs.docker.com/reference/api/engine/version/v1.41/.</summary>
internal sealed partial class EngineApi(EngineState state, EngineStock stock, CancellationToken closing)
{
    public const string Version = "1.41";
    public const string OldestVersion = "1.12";

    private readonly ContainerActions _actions = new(state);
    private readonly ContainerArchive _archive = new(state);
    private readonly ExecSessions _programs = new(state);

    public async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var prefix = VersionPrefix().Match(path);
        path = path[prefix.Length..];
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing);
        try
        {
            context.Response.Headers["Api-Version"] = Version;
            context.Response.Headers["Docker-Experimental"] = "false";
            context.Response.Headers["Ostype"] = "linux";
            context.Response.Headers.Server = "Docker/20.10.24 (linux)";
            if (prefix.Success)
                RefuseOtherVersions(prefix);
            await RouteAsync(context, path.TrimStart('/').Split('/'), ending.Token);
        }
        catch (EngineError error)
        {
            if (!context.Response.HasStarted)
                await context.WriteJsonAsync(new JsonObject { ["message"] = error.Message }, error.Status);
        }
    }

    private Task RouteAsync(HttpContext context, string[] path, CancellationToken stop)
    {
        var method = HttpMethods.IsHead(context.Request.Method) && path is not ["_ping"] and not [.., "archive"] ? "?" : context.Request.Method;
        return (method, path) switch
        {
            ("GET" or "HEAD", ["_ping"]) => PingAsync(context),
            ("GET", ["version"]) => context.WriteJsonAsync(EngineDescription.Version()),
            ("GET", ["info"]) => context.WriteJsonAsync(EngineDescription.Information(state)),
            ("GET", ["events"]) => EventStream.WriteAsync(context, state, stop),
            ("GET", ["containers", "json"]) => ListAsync(context),
            ("GET", ["containers", var id, "json"]) => context.WriteJsonAsync(ContainerDescription.Inspection(Container(id))),
            ("GET", ["containers", var id, "logs"]) => LogStream.WriteAsync(context, state, Container(id), stop),
            ("GET", ["containers", var id, "stats"]) => StatsAsync(context, Container(id), stop),
            ("GET", ["containers", var id, "top"]) => TopAsync(context, Container(id)),
            ("HEAD" or "GET" or "PUT", ["containers", var id, "archive"]) => _archive.AnswerAsync(context, Container(id), id),
            ("POST", ["containers", var id, "exec"]) => _programs.CreateAsync(context, Container(id)),
            ("POST", ["exec", var id, "start"]) => _programs.StartAsync(context, id),
            ("GET", ["exec", var id, "json"]) => _programs.InspectAsync(context, id),
            ("DELETE", ["containers", var id]) => RemoveAsync(context, Container(id)),
            ("GET", ["images", "json"]) => stock.ListImagesAsync(context),
            ("GET", ["images", .. var name, "json"]) => stock.InspectImageAsync(context, NameOf(name)),
            ("DELETE", ["images", .. var name]) => stock.RemoveImageAsync(context, NameOf(name)),
            ("GET", ["networks"]) => stock.ListNetworksAsync(context),
            ("DELETE", ["networks", var name]) => stock.RemoveNetworkAsync(context, name),
            ("GET", ["volumes"]) => stock.ListVolumesAsync(context),
            ("DELETE", ["volumes", var name]) => stock.RemoveVolumeAsync(context, name),
            ("POST", ["containers", var id, var action]) when ContainerActions.Knows(action) => _actions.AnswerAsync(context, Container(id), id, action, stop),
            _ => throw new EngineError(StatusCodes.Status404NotFound, "page not found"),
        };
    }

    private static Task PingAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-cache, no-store, must-revalidate";
        context.Response.Headers.Pragma = "no-cache";
        return context.WriteTextAsync(HttpMethods.IsHead(context.Request.Method) ? "" : "OK");
    }

    private static void RefuseOtherVersions(Match prefix)
    {
        var asked = new Version(prefix.Groups["version"].Value);
        if (asked > new Version(Version))
            throw new EngineError(StatusCodes.Status400BadRequest, $"client version {asked} is too new. Maximum supported API version is {Version}");
        if (asked < new Version(OldestVersion))
            throw new EngineError(StatusCodes.Status400BadRequest, $"client version {asked} is too old. Minimum supported API version is {OldestVersion}, please upgrade your client to a newer version");
    }

    private EmulatedContainer Container(string id) => state.Find(id) ?? throw EngineError.NoContainer(id);

    // A server leaves an escaped slash of a path as it is.
    private static string NameOf(string[] parts) => Uri.UnescapeDataString(string.Join('/', parts));

    private Task RemoveAsync(HttpContext context, EmulatedContainer container)
    {
        if (container.IsRunning && !EngineQuery.IsTrue(context.Request.Query["force"]))
            throw new EngineError(StatusCodes.Status409Conflict, $"You cannot remove a running container {container.Id}. Stop the container before attempting removal or force remove");
        state.Remove(container.Name);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private Task ListAsync(HttpContext context)
    {
        var filters = ContainerFilters.Read(context.Request.Query["filters"]);
        var all = EngineQuery.IsTrue(context.Request.Query["all"]) || filters.ChooseStates;
        var chosen = state.Containers.Where(container => (all || container.IsRunning || container.State == ContainerState.Restarting) && filters.Choose(container));

        // The newest first.
        var answer = chosen.OrderByDescending(container => container.CreatedAt).Select(container => (JsonNode)ContainerDescription.Summary(container, state.Now));
        return context.WriteJsonAsync(new JsonArray([.. answer]));
    }

    private async Task StatsAsync(HttpContext context, EmulatedContainer container, CancellationToken stop)
    {
        var stream = !context.Request.Query.TryGetValue("stream", out var asked) || EngineQuery.IsTrue(asked);
        if (!stream)
        {
            await context.WriteJsonAsync(StatsDescription.Of(container, state.Now));
            return;
        }

        context.Response.ContentType = "application/json";
        using var seconds = new PeriodicTimer(TimeSpan.FromSeconds(1), state.Clock);
        do
        {
            await context.Response.WriteAsync(context.Distort(StatsDescription.Of(Container(container.Name), state.Now)) + "\n", stop);
            await context.Response.Body.FlushAsync(stop);
        }
        while (await seconds.WaitForNextTickAsync(stop));
    }

    private Task TopAsync(HttpContext context, EmulatedContainer container)
    {
        if (!container.IsRunning)
            throw EngineError.NotRunning(container);
        state.Record(container, "top");
        var titles = context.Request.Query["ps_args"].ToString() switch
        {
            "" or "-ef" => "UID PID PPID C STIME TTY TIME CMD",
            "-eo pid,etime,args" => "PID ELAPSED COMMAND",
            var other => throw EngineError.NotEmulated($"ps {other}"),
        };
        var running = state.Now - (container.StartedAt ?? state.Now);
        var processes = container.Processes.Select((command, index) => new JsonArray(
        [
            .. titles.Split(' ').Select(title => (JsonNode)(title switch
            {
                "UID" => container.User.Length == 0 ? "root" : container.User,
                "PID" => ContainerDescription.ProcessId(container, index).ToString(CultureInfo.InvariantCulture),
                "PPID" => ContainerDescription.ProcessId(container, index == 0 ? -1 : 0).ToString(CultureInfo.InvariantCulture),
                "ELAPSED" => Elapsed(running),
                "STIME" => container.StartedAt?.ToString("HH:mm", CultureInfo.InvariantCulture) ?? "",
                "TTY" => "?",
                "TIME" => "00:00:00",
                "C" => "0",
                _ => command,
            })),
        ]));
        return context.WriteJsonAsync(new JsonObject { ["Processes"] = new JsonArray([.. processes]), ["Titles"] = new JsonArray([.. titles.Split(' ').Select(title => (JsonNode)title)]) });
    }

    /// <summary>As ps writes it: <c>[[days-]hours:]minutes:seconds</c>.</summary>
    private static string Elapsed(TimeSpan time) =>
        (time.Days > 0 ? $"{time.Days}-" : "") + (time.TotalHours >= 1 ? $"{time.Hours:00}:" : "") + $"{time.Minutes:00}:{time.Seconds:00}";

    [GeneratedRegex(@"^/v(?<version>[0-9]{1,4}\.[0-9]{1,4})(?=/)")]
    private static partial Regex VersionPrefix();
}
