using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ComfyAuth.Emulator.Engine;

namespace ComfyAuth.Emulator.Tests.Engine;

/// <summary>The emulator's answers have the members of a real engine's (20.10.24), which data/shapes.tsv lists: all and no other.</summary>
public sealed class EngineShapeTests
{
    // Maps whose names are not the engine's own.
    private static readonly string[] Free = ["Labels", "Attributes", "Networks", "Ports", "PortBindings", "ExposedPorts", "Runtimes", "IndexConfigs", "Details", "networks", "GraphDriver.Data"];

    [Theory]
    [InlineData("version", "/version")]
    [InlineData("information", "/info")]
    [InlineData("list", "/containers/json?all=1&filters={\"name\":[\"^/up$\"]}")]
    [InlineData("inspection", "/containers/up/json")]
    [InlineData("statistics", "/containers/up/stats?stream=0&one-shot=1")]
    [InlineData("statistics-stopped", "/containers/stopped/stats?stream=0&one-shot=1")]
    [InlineData("processes", "/containers/up/top?ps_args=-eo%20pid,etime,args")]
    [InlineData("event", "/events?since=1&until=2&filters={\"event\":[\"start\"]}")]
    [InlineData("event-health", "/events?since=1&until=2&filters={\"event\":[\"health_status\"]}")]
    public async Task Answers_have_the_members_of_a_real_engine(string answer, string target)
    {
        var stop = TestContext.Current.CancellationToken;
        var stopped = Sample.Recorded with { Name = "stopped", State = Docker.ContainerState.Exited };
        await using var engine = await EmulatedEngine.StartAsync([Sample.Recorded, stopped], overTcp: true, stop: stop);
        using var http = new HttpClient { BaseAddress = engine.Address };
        (await http.PostAsync("/containers/stopped/start", null, stop)).EnsureSuccessStatusCode();
        (await http.PostAsync("/containers/stopped/stop", null, stop)).EnsureSuccessStatusCode();
        engine.Change("up", container => container, "health_status: unhealthy");

        var now = DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds();
        var text = await http.GetStringAsync(target.Replace("until=2", $"until={now}"), stop);

        var members = new SortedSet<string>(StringComparer.Ordinal);
        Collect(JsonNode.Parse(text.Split('\n')[0]), "", members);
        Assert.Equal(Table.Rows("Engine/data/shapes.tsv").Where(row => row[0] == answer).Select(row => row[1]).Order(StringComparer.Ordinal), members);
    }

    private static void Collect(JsonNode? node, string path, SortedSet<string> members)
    {
        switch (node)
        {
            case JsonArray array:
                foreach (var item in array)
                    Collect(item, path + "[]", members);
                break;
            case JsonObject map:
                var free = Free.Any(name => Regex.IsMatch(path, $@"(^|\.){Regex.Escape(name)}$"));
                foreach (var (name, value) in map)
                {
                    var member = (path.Length == 0 ? "" : path + ".") + (free ? "*" : name);
                    members.Add(member);
                    Collect(value, member, members);
                }

                break;
        }
    }
}
