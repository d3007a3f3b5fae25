using System.Globalization;
using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <summary>Reads JSON of a server that may have any shape: what is not there, or is something else, is nothing.</summary>
internal static class ComfyJson
{
    /// <summary>Deeper than any answer goes, and far from what would exhaust the stack.</summary>
    public static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 64 };

    public static JsonElement Member(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) ? member : default;

    public static IEnumerable<(string Name, JsonElement Value)> Members(this JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Select(member => (member.Name, member.Value)) : [];

    public static IEnumerable<JsonElement> Items(this JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    public static string? Text(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.String } member ? member.GetString() : null;

    /// <summary>A number that is no infinity, though JSON can write one that is too large.</summary>
    public static double? Number(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.Number } member && member.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    /// <summary>A whole number; one that was written with a point, or is too large, is none.</summary>
    public static long? Whole(this JsonElement value, string name) =>
        value.Member(name) is { ValueKind: JsonValueKind.Number } member && member.TryGetInt64(out var number) ? number : null;

    /// <summary>A size in bytes: a whole number that is not negative.</summary>
    public static long? Size(this JsonElement value, string name) => value.Whole(name) is >= 0 and var size ? size : null;

    /// <summary>A text, number or truth value as people write it; null for anything else.</summary>
    public static string? AsText(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == Math.Truncate(number) && Math.Abs(number) < 1e15 ? number.ToString("0", CultureInfo.InvariantCulture) : value.GetRawText(),
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        _ => null,
    };
}
