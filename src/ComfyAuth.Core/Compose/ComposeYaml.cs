using ComfyAuth.Stacks;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ComfyAuth.Compose;

/// <summary>
/// Builds the tree of one compose file: anchors, aliases and merge keys (<c>&lt;&lt;</c>) are resolved. Works on the parser's
/// events because the library's own node loader hashes keys that contain themselves until the stack is exhausted.
/// </summary>
internal sealed class ComposeYaml
{
    /// <summary>What the aliases of a file may expand to, in the measure of <see cref="ComposeNode.Weight"/>.</summary>
    private const long MaximumWeight = 4_000_000;

    private const int LongestKey = 1_000;

    private readonly string _path;
    private readonly IEnumerator<ParsingEvent> _events;
    private readonly Dictionary<string, ComposeNode?> _anchors = [];

    private ComposeYaml(string text, string path)
    {
        _path = path;
        _events = BoundedYaml.Events(text, (place, problem, remedy, _) => ComposeErrors.Invalid(At(place), problem, remedy)).GetEnumerator();
    }

    /// <summary>Parses a file; an empty one gives an empty mapping.</summary>
    public static ComposeMapping Parse(string text, string path)
    {
        var reader = new ComposeYaml(text, path);
        using (reader._events)
            return reader.ReadDocument();
    }

    private ComposeMapping ReadDocument()
    {
        ComposeMapping? root = null;
        while (_events.MoveNext())
        {
            if (_events.Current is not DocumentStart start)
                continue;
            if (root is not null)
                throw ComposeErrors.Invalid(At(start.Start), "there is a second document", "Keep one document only");
            _events.MoveNext();
            root = ReadNode() switch
            {
                ComposeMapping map => map,
                ComposeScalar { Text: null or "" } empty => new ComposeMapping(empty.Place, new Dictionary<string, ComposeEntry>()),
                var other => throw other.Error("the file is not a mapping", "Begin with 'services:'."),
            };
        }

        return root ?? new ComposeMapping(new ComposePlace(_path, 1, 1), new Dictionary<string, ComposeEntry>());
    }

    /// <summary>Reads the node that begins at the current event, and leaves its last event current.</summary>
    private ComposeNode ReadNode()
    {
        var current = _events.Current;
        if (current is AnchorAlias alias)
        {
            if (!_anchors.TryGetValue(alias.Value.Value, out var target))
                throw ComposeErrors.Invalid(At(alias.Start), $"there is no anchor '{alias.Value.Value}' before this alias", "Define it with & above.");
            return target ?? throw ComposeErrors.Invalid(At(alias.Start), "the alias lies inside what it stands for", "Move it out.");
        }

        var anchor = (current as NodeEvent)?.Anchor is { IsEmpty: false } name ? name.Value : null;
        if (anchor is not null)
            _anchors[anchor] = null;
        ComposeNode node = current switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart start => ReadSequence(start),
            MappingStart start => ReadMapping(start),
            _ => throw ComposeErrors.Invalid(At(current.Start), "a value is missing", "Check the indentation."),
        };

        if (node.Height > BoundedYaml.MaximumDepth)
            throw node.Error($"the nesting is deeper than {BoundedYaml.MaximumDepth} levels", "Check the aliases.");
        if (node.Weight > MaximumWeight)
            throw node.Error("its aliases make it too large", "Write out what the aliases stand for, once.");
        if (anchor is not null)
            _anchors[anchor] = node;
        return node;
    }

    private ComposeScalar ReadScalar(Scalar scalar)
    {
        if (scalar.Value.Contains('\0', StringComparison.Ordinal))
            throw ComposeErrors.Invalid(At(scalar.Start), "there is a NUL character", "Take it out.");

        var isNull = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty && scalar.Value is "" or "~" or "null" or "Null" or "NULL";
        var quotes = scalar.Style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted ? 1 : 0;
        var isVerbatim = scalar.Start.Line == scalar.End.Line && scalar.End.Column - scalar.Start.Column == scalar.Value.Length + (2 * quotes);
        return new ComposeScalar(At(scalar.Start), isNull ? null : scalar.Value)
        {
            Tag = TagOf(scalar),
            TextColumn = isVerbatim ? (int)scalar.Start.Column + quotes : null,
        };
    }

    private ComposeSequence ReadSequence(SequenceStart start)
    {
        var items = new List<ComposeNode>();
        while (Advance(start) is not SequenceEnd)
            items.Add(ReadNode());
        return new ComposeSequence(At(start.Start), items) { Tag = TagOf(start) };
    }

    private ComposeMapping ReadMapping(MappingStart start)
    {
        var entries = new Dictionary<string, ComposeEntry>();
        var merges = new List<ComposeNode>();
        while (Advance(start) is not MappingEnd)
        {
            var place = At(_events.Current.Start);
            var isMerge = _events.Current is Scalar { Value: "<<", Style: ScalarStyle.Plain };
            if (ReadNode() is not ComposeScalar key)
                throw ComposeErrors.Invalid(place, "a key must be plain text", "Write 'name: value'.");
            if (key.Text?.Length > LongestKey)
                throw ComposeErrors.Invalid(place, $"a key is longer than {LongestKey} characters", "Check the quotes and the colons.");
            Advance(start);
            var value = ReadNode();
            if (isMerge)
                merges.Add(value);
            else if (!entries.TryAdd(key.Text ?? "", new ComposeEntry(place, value)))
                throw ComposeErrors.Invalid(place, $"the key '{key.Text}' stands here twice", "Keep one of the two.");
        }

        foreach (var merge in merges)
            MergeInto(entries, merge);
        return new ComposeMapping(At(start.Start), entries) { Tag = TagOf(start) };
    }

    /// <summary>A merge key gives what the mapping does not say itself; of several mappings the first one wins (YAML 1.1, "Merge key").</summary>
    private static void MergeInto(Dictionary<string, ComposeEntry> entries, ComposeNode merge)
    {
        var sources = merge is ComposeSequence list ? list.Items : [merge];
        foreach (var source in sources)
        {
            if (source is not ComposeMapping map)
                throw source.Error("'<<' takes a mapping or a list of mappings", "Write '<<: *anchor'.");
            foreach (var (key, entry) in map.Entries)
                entries.TryAdd(key, entry);
        }
    }

    private ParsingEvent Advance(ParsingEvent start) => _events.MoveNext()
        ? _events.Current
        : throw ComposeErrors.Invalid(At(start.Start), "the file ends inside this", "Close what is open.");

    private static string? TagOf(NodeEvent node) =>
        !node.Tag.IsEmpty && node.Tag.Value is "!reset" or "!override" ? node.Tag.Value : null;

    private ComposePlace At(Mark mark) => new(_path, (int)mark.Line, (int)mark.Column);
}
