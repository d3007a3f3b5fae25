using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Faults;

/// <summary>Makes JSON into other JSON: values of another type, numbers out of range, names that are gone.</summary>
internal static class JsonDistortion
{
    public static string Of(JsonNode body, Random random)
    {
        // Around it, so that the whole can be replaced like any of its parts.
        var root = new JsonArray(body.DeepClone());
        for (var changes = random.Next(1, 4); changes > 0; changes--)
            Change(root, random);
        return root.Count == 0 ? "" : root[0]?.ToJsonString() ?? "null";
    }

    private static void Change(JsonArray root, Random random)
    {
        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places);
        if (places.Count == 0)
            return;

        var (parent, key) = places[random.Next(places.Count)];
        var remove = random.Next(4) == 0;
        if (parent is JsonArray array)
        {
            if (remove)
                array.RemoveAt((int)key);
            else
                array[(int)key] = Other(random);
        }
        else if (parent is JsonObject map)
        {
            if (remove)
                map.Remove((string)key);
            else
                map[(string)key] = Other(random);
        }
    }

    private static void Collect(JsonNode node, List<(JsonNode Parent, object Key)> places)
    {
        switch (node)
        {
            case JsonArray array:
                for (var index = 0; index < array.Count; index++)
                {
                    places.Add((array, index));
                    if (array[index] is { } item)
                        Collect(item, places);
                }

                break;
            case JsonObject map:
                foreach (var (name, value) in map)
                {
                    places.Add((map, name));
                    if (value is not null)
                        Collect(value, places);
                }

                break;
        }
    }

    private static JsonNode? Other(Random random) => random.Next(14) switch
    {
        0 => null,
        1 => true,
        2 => 0,
        3 => -1,
        4 => long.MaxValue,
        5 => long.MinValue,
        6 => ulong.MaxValue,
        7 => 1e300,
        8 => "",
        9 => "9999-12-31T23:59:59.999999999Z",
        10 => new string('x', 100_000),
        11 => new JsonArray(null, 1, "x"),
        12 => new JsonObject { ["x"] = new JsonArray() },
        _ => 0.5,
    };
}
