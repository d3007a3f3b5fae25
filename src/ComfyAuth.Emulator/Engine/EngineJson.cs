using System.Globalization;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Values as the engine, a program in Go, writes them.</summary>
internal static class EngineJson
{
    public const string Never = "0001-01-01T00:00:00Z";

    public static string Time(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z" is { Length: > 1 } text ? text : Never;

    /// <summary>As in a log, where every time has the same length.</summary>
    public static string LogTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "00Z";

    public static long Nanoseconds(TimeSpan time) => time.Ticks * 100;

    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>An empty list is null where nobody gave one.</summary>
    public static JsonArray? TextsOrNull(IReadOnlyList<string> texts) => texts.Count == 0 ? null : Texts(texts);

    public static JsonObject Map(IEnumerable<KeyValuePair<string, string>> pairs) => new(pairs.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));

    /// <summary>Adds members that are null, empty texts, zeros and so on: the engine says what is not set too.</summary>
    public static JsonObject With(this JsonObject map, JsonNode? value, string names)
    {
        foreach (var name in names.Split(' '))
            map[name] = value?.DeepClone();
        return map;
    }

    public static JsonObject Members(params IEnumerable<(string Name, JsonNode? Value)> members) =>
        new(members.Select(member => KeyValuePair.Create(member.Name, member.Value)));
}
