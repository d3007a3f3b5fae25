using System.Text.Json.Nodes;
using ComfyAuth.Docker;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Something that happened, as the engine keeps it.</summary>
internal sealed record EngineEntry(DateTimeOffset At, string Action, EmulatedContainer Container, IReadOnlyDictionary<string, string> Details)
{
    /// <summary>The attributes: labels, details, name and image.</summary>
    public JsonObject Attributes()
    {
        var all = new SortedDictionary<string, string>(Container.Labels.ToDictionary(), StringComparer.Ordinal) { ["image"] = Container.Image, ["name"] = Container.Name };
        foreach (var (name, value) in Details)
            all[name] = value;
        return new(all.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));
    }
}
