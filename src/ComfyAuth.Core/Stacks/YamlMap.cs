using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace ComfyAuth.Stacks;

/// <summary>
/// A YAML mapping that is read key by key; every complaint names the file, the line and the column.
/// </summary>
internal sealed class YamlMap
{
    private readonly string _path;
    private readonly YamlMappingNode _node;
    private readonly Dictionary<string, YamlNode> _values = new();

    private YamlMap(YamlMappingNode node, string path)
    {
        _node = node;
        _path = path;
        foreach (var (key, value) in node.Children)
            _values.Add(key is YamlScalarNode { Value: { } name } ? name : throw Error(key, "a key must be plain text", "Write 'name: value'."), value);
    }

    /// <summary>Loads a document whose top is a mapping; an empty document gives an empty map.</summary>
    public static YamlMap Load(string text, string path)
    {
        try
        {
            RefuseAliases(text, path);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents switch
            {
                [] => new YamlMap([], path),
                [{ RootNode: YamlMappingNode map }] => new YamlMap(map, path),
                [{ RootNode: YamlScalarNode { Value: null or "" } }] => new YamlMap([], path),
                [{ RootNode: var other }] => throw Invalid(path, other.Start, "the file is not a mapping", "Write 'key: value' lines."),
                [_, { RootNode: var second }, ..] => throw Invalid(path, second.Start, "there is a second document", "Keep one document only."),
            };
        }
        catch (Exception error) when (BoundedYaml.IsMalformed(error))
        {
            throw BoundedYaml.Malformed(error, (place, problem, remedy, cause) => Invalid(path, place, problem, remedy, cause));
        }
    }

    private static void RefuseAliases(string text, string path)
    {
        foreach (var current in BoundedYaml.Events(text, (place, problem, remedy, cause) => Invalid(path, place, problem, remedy, cause)))
        {
            if (current is AnchorAlias alias)
                throw Invalid(path, alias.Start, "aliases are not used in stack files", "Write the value out.");
        }
    }

    /// <summary>The keys, in the order of the file.</summary>
    public IEnumerable<string> Keys => _values.Keys;

    /// <summary>Whether a key is there.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>Refuses every key that is not named here.</summary>
    public void Allow(params string[] keys)
    {
        foreach (var key in Keys.Where(key => !keys.Contains(key)))
            throw Error(key, $"the key '{key}' is not known here", $"{NearestName.Suggest(key, keys)}Known: {string.Join(", ", keys)}.");
    }

    /// <summary>Plain text, or null where the key is missing.</summary>
    public string? Text(string key) => _values.TryGetValue(key, out var value) ? Scalar(value, key) : null;

    /// <summary>A whole number, or null where the key is missing.</summary>
    public int? Integer(string key) => Text(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw Error(key, $"'{key}' takes a whole number", "Write digits only.");

    /// <summary>A number of bytes, or null where the key is missing.</summary>
    public long? Bytes(string key) => Text(key) is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw Error(key, $"'{key}' takes a number of bytes", "Write digits only.");

    /// <summary>A boolean, or null where the key is missing.</summary>
    public bool? Boolean(string key) => Text(key) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        _ => throw Error(key, $"'{key}' takes true or false", "Write one of the two."),
    };

    /// <summary>One of several names, or null where the key is missing.</summary>
    public T? Choice<T>(string key, IReadOnlyDictionary<string, T> choices) where T : struct =>
        Text(key) is { } text ? Choose(_values[key], text, choices) : null;

    /// <summary>A list of names out of several.</summary>
    public IEnumerable<T> Choices<T>(string key, IReadOnlyDictionary<string, T> choices) where T : struct =>
        Items(key).Select(item => Choose(item, Scalar(item, key), choices));

    /// <summary>A list of plain texts.</summary>
    public IReadOnlyList<string> Texts(string key) => [.. Items(key).Select(item => Scalar(item, key))];

    /// <summary>A mapping, or null where the key is missing or has no value.</summary>
    public YamlMap? Map(string key) => !_values.TryGetValue(key, out var value) ? null : value switch
    {
        YamlMappingNode map => new YamlMap(map, _path),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" } => null,
        _ => throw Error(value, $"'{key}' takes a mapping", "Write 'key: value' lines below it, indented."),
    };

    /// <summary>A list of mappings.</summary>
    public IEnumerable<YamlMap> Maps(string key) => Items(key).Select(item => item is YamlMappingNode map
        ? new YamlMap(map, _path)
        : throw Error(item, $"'{key}' takes a list of mappings", "Write '- key: value' lines."));

    /// <summary>An error at a key's value; at the mapping itself where the key is null or missing.</summary>
    public ComfyAuthException Error(string? key, string problem, string remedy)
    {
        YamlNode place = _node;
        if (key is not null)
            place = _node.Children.Keys.FirstOrDefault(candidate => candidate is YamlScalarNode scalar && scalar.Value == key) ?? _node;
        return Error(place, problem, remedy);
    }

    private ComfyAuthException Error(YamlNode place, string problem, string remedy) => Invalid(_path, place.Start, problem, remedy);

    private IEnumerable<YamlNode> Items(string key) => _values[key] is YamlSequenceNode list
        ? list.Children
        : throw Error(_values[key], $"'{key}' takes a list", "Write '[a, b]' or '- a' lines.");

    private string Scalar(YamlNode value, string key) => value is YamlScalarNode { Value: { Length: > 0 } text }
        ? text
        : throw Error(value, $"'{key}' takes a plain value", "Write 'key: value'.");

    private T Choose<T>(YamlNode place, string text, IReadOnlyDictionary<string, T> choices) =>
        choices.TryGetValue(text, out var choice) ? choice
        : throw Error(place, $"'{text}' is not one of the choices", $"{NearestName.Suggest(text, choices.Keys)}Choices: {string.Join(", ", choices.Keys)}.");

    private static ComfyAuthException Invalid(string path, Mark place, string problem, string remedy, Exception? cause = null) =>
        new("StackFileInvalid", $"{path}({place.Line},{place.Column}): {problem}.", remedy, cause);
}
