using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>What happened and what happens, one JSON document in a line, until the end that was asked for.</summary>
internal static class EventStream
{
    public static async Task WriteAsync(HttpContext context, EngineState state, CancellationToken stop)
    {
        var query = context.Request.Query;
        var (since, until) = (EngineQuery.Moment(query["since"]), EngineQuery.Moment(query["until"]));
        var filters = ContainerFilters.ReadAll(query["filters"]);
        if (filters.Keys.FirstOrDefault(name => name is not ("container" or "event" or "label" or "type")) is { } unknown)
            throw EngineError.NotEmulated($"the filter '{unknown}'");

        // The past only where it is asked for.
        var last = since is null ? state.LastEvent : 0;
        context.Response.ContentType = "application/json";
        await context.Response.Body.FlushAsync(stop);
        while (true)
        {
            var changed = state.Changed;
            foreach (var (number, entry) in state.EventsAfter(last))
            {
                last = number;
                if ((since is null || entry.At >= since) && (until is null || entry.At <= until) && IsWanted(entry, filters))
                    await context.Response.WriteAsync(context.Distort(Describe(entry)) + "\n", stop);
            }

            await context.Response.Body.FlushAsync(stop);
            if (until is null)
                await changed.WaitAsync(stop);
            else if (until <= state.Now || !await ChangedBeforeAsync(changed, until.Value - state.Now, state, stop))
                return;
        }
    }

    private static async Task<bool> ChangedBeforeAsync(Task changed, TimeSpan time, EngineState state, CancellationToken stop)
    {
        try
        {
            await changed.WaitAsync(time, state.Clock, stop);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static bool IsWanted(EngineEntry entry, Dictionary<string, IReadOnlyList<string>> filters) => filters.All(filter => filter.Key switch
    {
        "container" => filter.Value.Any(value => entry.Container.Name.StartsWith(value, StringComparison.Ordinal) || entry.Container.Id.StartsWith(value, StringComparison.Ordinal)),
        "event" => filter.Value.Any(value => entry.Action == value || entry.Action.StartsWith(value + ":", StringComparison.Ordinal)),
        "label" => filter.Value.All(value => ContainerFilters.HasLabel(entry.Container.Labels, value)),
        _ => filter.Value.Contains("container"),
    });

    private static JsonObject Describe(EngineEntry entry) => new()
    {
        ["status"] = entry.Action,
        ["id"] = entry.Container.Id,
        ["from"] = entry.Container.Image,
        ["Type"] = "container",
        ["Action"] = entry.Action,
        ["Actor"] = new JsonObject { ["ID"] = entry.Container.Id, ["Attributes"] = entry.Attributes() },
        ["scope"] = "local",
        ["time"] = entry.At.ToUnixTimeSeconds(),
        ["timeNano"] = (entry.At - DateTimeOffset.UnixEpoch).Ticks * 100,
    };
}
