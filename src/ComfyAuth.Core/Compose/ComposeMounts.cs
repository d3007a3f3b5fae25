namespace ComfyAuth.Compose;

/// <summary>Reads entries of <c>volumes</c> in both syntaxes (Compose specification, "volumes").</summary>
internal static class ComposeMounts
{
    private const string Forms = "Write './host:/container:ro', 'name:/container', or type, source and target.";

    /// <summary>One entry of <c>volumes</c>.</summary>
    /// <param name="node">The entry.</param>
    /// <param name="projectFolder">What relative host paths are relative to.</param>
    /// <param name="home">The folder that <c>~</c> stands for; null when it is not known.</param>
    public static ComposeMount Read(ComposeNode node, string projectFolder, string? home)
    {
        switch (node)
        {
            case ComposeScalar { Text: { Length: > 0 } text }:
                var (source, target, options) = Split(text);
                if (target.Length == 0)
                    throw ComposeReader.InvalidValue((ComposeScalar)node, "the mount has no target", Forms);
                var isPath = source is not null && IsPath(source);
                return new ComposeMount
                {
                    Kind = isPath ? ComposeMountKind.Bind : ComposeMountKind.Volume,
                    Source = isPath ? HostPath(source!, projectFolder, home) : source,
                    Target = target,
                    IsReadOnly = options.Split(',').Contains("ro"),
                    CreatesHostPath = isPath,
                    Place = node.Place,
                };
            case ComposeMapping map:
                return ReadLong(new ComposeReader(map), projectFolder, home);
            default:
                throw node.Error("a mount is expected", Forms);
        }
    }

    /// <summary>The path in the container, by which entries of several files replace each other.</summary>
    public static string TargetOf(ComposeNode node) => Read(node, Path.GetTempPath(), home: null).Target;

    /// <summary>A <c>tmpfs</c> entry: a path, with options behind a colon.</summary>
    public static ComposeMount ReadMemory(ComposeScalar node) =>
        new() { Kind = ComposeMountKind.Memory, Target = node.Text!.Split(':')[0], Place = node.Place };

    private static ComposeMount ReadLong(ComposeReader map, string projectFolder, string? home)
    {
        var kind = map.Text("type") switch
        {
            "bind" => ComposeMountKind.Bind,
            "volume" => ComposeMountKind.Volume,
            "tmpfs" => ComposeMountKind.Memory,
            null => throw map.Node.Error("the mount has no type", Forms),
            _ => ComposeMountKind.Other,
        };
        var source = map.Text("source") ?? map.Text("src");
        return new ComposeMount
        {
            Kind = kind,
            Source = kind == ComposeMountKind.Bind && source is not null ? HostPath(source, projectFolder, home) : source,
            Target = map.Text("target") ?? map.Text("dst") ?? map.Text("destination") ?? throw map.Node.Error("the mount has no target", Forms),
            IsReadOnly = map.Boolean("read_only") ?? false,
            CreatesHostPath = map.Map("bind")?.Boolean("create_host_path") ?? false,
            Place = map.Node.Place,
        };
    }

    /// <summary>Splits at the colons but not at the one of a Windows drive.</summary>
    private static (string? Source, string Target, string Options) Split(string text)
    {
        var parts = new List<string>();
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && (text[i] != ':' || IsDriveColon(text, start, i)))
                continue;
            parts.Add(text[start..i]);
            start = i + 1;
        }

        return parts switch
        {
            [var target] => (null, target, ""),
            [var source, var target] => (source, target, ""),
            [var source, var target, .. var options] => (source, target, string.Join(',', options)),
            _ => (null, "", ""),
        };
    }

    private static bool IsDriveColon(string text, int start, int colon) =>
        colon == start + 1 && char.IsAsciiLetter(text[start]) && colon + 1 < text.Length && text[colon + 1] is '\\' or '/';

    private static bool IsPath(string source) =>
        source is ['.' or '/' or '~' or '\\', ..] || (source.Length > 2 && IsDriveColon(source, 0, 1) && source[1] == ':');

    private static string HostPath(string source, string projectFolder, string? home)
    {
        if (source is "~" or ['~', '/' or '\\', ..] && home is not null)
            source = home + source[1..];
        // A path of the engine's own machine, which need not be of this kind.
        var isForeign = OperatingSystem.IsWindows() ? source.StartsWith('/') : source.Length > 2 && source[1] == ':';
        return isForeign ? source : Path.GetFullPath(source, projectFolder);
    }
}
