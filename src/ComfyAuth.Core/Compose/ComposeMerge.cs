namespace ComfyAuth.Compose;

/// <summary>
/// Lays one compose file over another (Compose specification, "Merge"): mappings key by key, lists appended, except where
/// the specification names a key by which entries replace each other.
/// </summary>
internal static class ComposeMerge
{
    private const string Service = "services.*.";

    /// <summary>Settings that are a list of <c>KEY=value</c> or a mapping.</summary>
    private static readonly HashSet<string> KeyValues =
        [Service + "environment", Service + "labels", Service + "annotations", Service + "sysctls", Service + "build.args", Service + "build.labels", Service + "deploy.labels"];

    /// <summary>Settings that are a list of names or a mapping from them.</summary>
    private static readonly HashSet<string> Names = [Service + "networks", Service + "depends_on"];

    /// <summary>Lists of which the later file's replaces the earlier one's.</summary>
    private static readonly HashSet<string> Replaced = [Service + "command", Service + "entrypoint", Service + "healthcheck.test"];

    /// <summary>Settings that may be one text instead of a list of texts.</summary>
    private static readonly HashSet<string> TextOrList = [Service + "env_file", Service + "dns", Service + "dns_search", Service + "tmpfs"];

    /// <summary>Lays a whole file over another.</summary>
    public static ComposeMapping Merge(ComposeMapping basis, ComposeMapping over) => MergeMappings(basis, over, "");

    /// <summary>Reads a setting that is a list of <c>KEY=value</c> or a mapping; a key without a value has a null one.</summary>
    public static ComposeMapping ToKeyValues(ComposeNode node)
    {
        if (node is ComposeMapping map)
            return map;
        if (node is not ComposeSequence list)
            throw node.Error("a mapping or a list of 'KEY=value' is expected", "Write 'KEY: value' lines below it, indented.");

        var entries = new Dictionary<string, ComposeEntry>();
        foreach (var item in list.Items)
        {
            if (item is not ComposeScalar { Text: { } text } scalar)
                throw item.Error("an item must be 'KEY=value' or 'KEY'", "Write it as one text.");
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? text : text[..equals];
            entries[key] = new ComposeEntry(item.Place, scalar.With(equals < 0 ? null : text[(equals + 1)..]));
        }

        return new ComposeMapping(list.Place, entries) { Tag = list.Tag };
    }

    private static ComposeNode MergeNodes(ComposeNode basis, ComposeNode over, string path)
    {
        if (over.Tag == "!override" || Replaced.Contains(path) || basis is ComposeScalar { Text: null })
            return over is ComposeScalar { Text: null } ? basis : over;
        if (KeyValues.Contains(path) && over is not ComposeScalar)
            return Overlay(ToKeyValues(basis), ToKeyValues(over));
        if (Names.Contains(path) && over is not ComposeScalar)
            return MergeMappings(FromNames(basis), FromNames(over), path);
        if (TextOrList.Contains(path))
            (basis, over) = (ToList(basis), ToList(over));
        if (path == Service + "logging" && Driver(basis) is { } driver && Driver(over) is { } other && driver != other)
            return over;

        return (basis, over) switch
        {
            (_, ComposeScalar { Text: null }) => basis,
            (ComposeMapping left, ComposeMapping right) => MergeMappings(left, right, path),
            (ComposeSequence left, ComposeSequence right) => MergeLists(left, right, path),
            (ComposeScalar, ComposeScalar) => over,
            _ => throw over.Error($"this is of another kind than what {basis.Place} says", "Write both in the same form, or put !override before this one."),
        };
    }

    private static ComposeMapping MergeMappings(ComposeMapping basis, ComposeMapping over, string path)
    {
        var entries = new Dictionary<string, ComposeEntry>(basis.Entries);
        foreach (var (key, entry) in over.Entries)
        {
            // The names of services are not part of the path by which a setting is known.
            var below = path switch { "" => key, "services" => "services.*", _ => $"{path}.{key}" };
            if (entry.Value.Tag == "!reset")
                entries[key] = entry with { Value = new ComposeScalar(entry.Value.Place, null) };
            else if (entries.TryGetValue(key, out var present))
                entries[key] = new ComposeEntry(entry.Place, MergeNodes(present.Value, entry.Value, below));
            else
                entries[key] = entry;
        }

        return new ComposeMapping(basis.Place, entries);
    }

    private static ComposeMapping Overlay(ComposeMapping basis, ComposeMapping over)
    {
        var entries = new Dictionary<string, ComposeEntry>(basis.Entries);
        foreach (var (key, entry) in over.Entries)
            entries[key] = entry;
        return new ComposeMapping(over.Place, entries);
    }

    private static ComposeSequence MergeLists(ComposeSequence basis, ComposeSequence over, string path)
    {
        if (path is not (Service + "volumes" or Service + "ports"))
            return new ComposeSequence(basis.Place, [.. basis.Items, .. over.Items]);

        // The entries' own readers tell which of them are about the same thing.
        Func<ComposeNode, object> identify = path == Service + "volumes" ? ComposeMounts.TargetOf : RangeOf;
        var replaced = over.Items.Select(identify).ToHashSet();
        return new ComposeSequence(basis.Place, [.. basis.Items.Where(item => !replaced.Contains(identify(item))), .. over.Items]);

        object RangeOf(ComposeNode node)
        {
            // A range is known by its ends.
            var ports = ComposePorts.Read(node);
            return (ports.First() with { Place = basis.Place }, ports.Last() with { Place = basis.Place });
        }
    }

    private static ComposeMapping FromNames(ComposeNode node)
    {
        if (node is not ComposeSequence list)
            return node as ComposeMapping ?? throw node.Error("a mapping or a list of names is expected", "Write '- name' lines below it.");

        var entries = new Dictionary<string, ComposeEntry>();
        foreach (var item in list.Items)
        {
            if (item is not ComposeScalar { Text: { } name })
                throw item.Error("a name is expected", "Write it as one text.");
            entries[name] = new ComposeEntry(item.Place, new ComposeScalar(item.Place, null));
        }

        return new ComposeMapping(list.Place, entries);
    }

    private static ComposeNode ToList(ComposeNode node) =>
        node is ComposeScalar { Text: not null } ? new ComposeSequence(node.Place, [node]) { Tag = node.Tag } : node;

    private static string? Driver(ComposeNode logging) => ((logging as ComposeMapping)?["driver"] as ComposeScalar)?.Text;
}
