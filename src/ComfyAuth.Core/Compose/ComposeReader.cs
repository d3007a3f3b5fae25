using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth.Compose;

/// <summary>Typed access to a mapping of a compose file; a value of the wrong type is an error with its place.</summary>
internal sealed partial class ComposeReader(ComposeMapping node)
{
    public ComposeMapping Node { get; } = node;

    /// <summary>An error about a value; where interpolation left a fault in it, that is the cause to name.</summary>
    public static ComfyAuthException InvalidValue(ComposeScalar node, string problem, string remedy) =>
        node.Problems is [var first, ..] ? node.Error($"{problem}, because {first.Message}", "Define the variable, or write $$ for a $.") : node.Error(problem, remedy);

    /// <summary>Where a key stands; where the mapping begins if it is not there.</summary>
    public ComposePlace PlaceOf(string key) => Node.Entries.TryGetValue(key, out var entry) ? entry.Place : Node.Place;

    /// <summary>A value with a text, or null where the key is missing or has none.</summary>
    public ComposeScalar? Scalar(string key) => Node[key] switch
    {
        null => null,
        ComposeScalar scalar => scalar,
        var other => throw other.Error($"'{key}' takes a plain value", $"Write '{key}: value'."),
    };

    public string? Text(string key) => Scalar(key)?.Text;

    /// <summary>A truth value; the words of YAML 1.1 count, as they do for Compose.</summary>
    public bool? Boolean(string key) => Scalar(key) is not { } scalar ? null : scalar.Text!.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" or "y" => true,
        "false" or "no" or "off" or "n" => false,
        _ => throw InvalidValue(scalar, $"'{key}' takes true or false", "Write one of the two."),
    };

    public int? Integer(string key) => Scalar(key) is not { } scalar ? null
        : int.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw InvalidValue(scalar, $"'{key}' takes a whole number", "Write digits only.");

    /// <summary>A length of time such as <c>1m30s</c>; units <c>ns us ms s m h</c> (Compose specification, "Specifying durations").</summary>
    public TimeSpan? Duration(string key)
    {
        if (Scalar(key) is not { } scalar)
            return null;
        if (scalar.Text == "0")
            return TimeSpan.Zero;

        var match = DurationForm().Match(scalar.Text!);
        var seconds = 0.0;
        for (var i = 0; match.Success && i < match.Groups["unit"].Captures.Count; i++)
        {
            var amount = double.Parse(match.Groups["amount"].Captures[i].ValueSpan, CultureInfo.InvariantCulture);
            seconds += amount * match.Groups["unit"].Captures[i].Value switch { "ns" => 1e-9, "us" or "µs" => 1e-6, "ms" => 1e-3, "s" => 1, "m" => 60, _ => 3600 };
        }

        // The engine counts nanoseconds in 64 bits.
        return match.Success && seconds <= 9e9
            ? TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond))
            : throw InvalidValue(scalar, $"'{key}' takes a length of time", "Write it like 30s or 1m30s.");
    }

    /// <summary>A size such as <c>512m</c>, in bytes; units <c>b k m g t</c>, with or without a <c>b</c> behind them.</summary>
    public long? Size(string key)
    {
        if (Scalar(key) is not { } scalar)
            return null;

        var match = SizeForm().Match(scalar.Text!);
        var size = match.Success
            ? double.Parse(match.Groups["amount"].ValueSpan, CultureInfo.InvariantCulture) * Math.Pow(1024, "bkmgt".IndexOf((match.Groups["unit"].Value + "b").ToLowerInvariant()[0], StringComparison.Ordinal))
            : -1;
        return size is >= 0 and < long.MaxValue ? (long)size : throw InvalidValue(scalar, $"'{key}' takes a size", "Write it like 512m or 8g.");
    }

    /// <summary>A mapping, or null where the key is missing or has no value.</summary>
    public ComposeReader? Map(string key) => Node[key] switch
    {
        null => null,
        ComposeMapping map => new ComposeReader(map),
        var other => throw other.Error($"'{key}' takes a mapping", "Write 'key: value' lines below it, indented."),
    };

    /// <summary>The entries of a mapping that are mappings; an entry without a value is an empty one.</summary>
    public IEnumerable<(string Name, ComposeReader Map)> Maps(string key)
    {
        foreach (var (name, entry) in Map(key)?.Node.Entries ?? new Dictionary<string, ComposeEntry>())
        {
            yield return (name, entry.Value switch
            {
                ComposeMapping map => new ComposeReader(map),
                ComposeScalar { Text: null } nothing => new ComposeReader(new ComposeMapping(nothing.Place, new Dictionary<string, ComposeEntry>())),
                var other => throw other.Error($"'{name}' takes a mapping", "Write 'key: value' lines below it, indented."),
            });
        }
    }

    /// <summary>A list; empty where the key is missing.</summary>
    public IReadOnlyList<ComposeNode> List(string key) => Node[key] switch
    {
        null => [],
        ComposeSequence list => list.Items,
        var other => throw other.Error($"'{key}' takes a list", "Write '- item' lines below it."),
    };

    /// <summary>A list of texts, or one text.</summary>
    public IReadOnlyList<ComposeScalar> Scalars(string key) => Node[key] is ComposeScalar single ? [single] : [.. List(key).Select(item =>
        item as ComposeScalar is { Text: not null } scalar ? scalar : throw item.Error($"'{key}' takes a list of texts", "Write '- text' lines."))];

    /// <summary>A command: a list of words, or a text that is split as a shell would split it. Null where the key is missing.</summary>
    public IReadOnlyList<string>? Words(string key) => Node[key] switch
    {
        null => null,
        ComposeScalar scalar => ShellWords.Split(scalar.Text!) ?? throw InvalidValue(scalar, $"a quote in '{key}' is not closed", "Close it, or write the words as a list."),
        _ => [.. Scalars(key).Select(word => word.Text!)],
    };

    /// <summary>A list of <c>KEY=value</c> or a mapping of plain values; null values stand for keys alone.</summary>
    public IEnumerable<(string Key, ComposePlace Place, ComposeScalar Value)> KeyValues(string key)
    {
        if (Node[key] is not { } node)
            yield break;
        foreach (var (name, entry) in ComposeMerge.ToKeyValues(node).Entries)
            yield return (name, entry.Place, entry.Value as ComposeScalar ?? throw entry.Value.Error($"'{name}' takes a plain value", "Write 'KEY: value'."));
    }

    [GeneratedRegex(@"\A((?<amount>[0-9]{1,18}(\.[0-9]{0,18})?)(?<unit>ns|us|µs|ms|s|m|h))+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex DurationForm();

    [GeneratedRegex(@"\A(?<amount>[0-9]{1,18}(\.[0-9]{1,18})?)\s?((?<unit>[kKmMgGtT])(i?[bB])?|[bB])?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SizeForm();
}
