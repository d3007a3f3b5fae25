using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;

namespace ComfyAuth.Compose;

/// <summary>
/// The services that one or more compose files describe, as Compose v2 sees them in the end: files merged in order,
/// variables replaced out of the environment and <c>.env</c>, relative paths resolved (Compose specification).
/// </summary>
public sealed partial class ComposeFile
{
    private ComposeFile(IReadOnlyList<string> paths, IReadOnlyList<ComposeService> services, ComposePlace? versionPlace, IReadOnlyList<ComposePlace> notFollowed)
    {
        Paths = paths;
        Services = services;
        VersionPlace = versionPlace;
        NotFollowed = notFollowed;
    }

    /// <summary>The full paths of the files, in the order in which they were merged.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <summary>The services that the profiles enable, in the order of the files.</summary>
    public IReadOnlyList<ComposeService> Services { get; }

    /// <summary>The project's name, where no other is given on the command line: <c>COMPOSE_PROJECT_NAME</c>, the top-level <c>name</c>, or what Compose makes of the folder's.</summary>
    internal string ProjectName { get; private init; } = "";

    /// <summary>The networks that the file itself gives a name in the engine, by what the services call them; Compose makes the others' of the project's name.</summary>
    internal IReadOnlyDictionary<string, string> NetworkNames { get; private init; } = new Dictionary<string, string>();

    /// <summary>Where the obsolete <c>version</c> stands; null where there is none.</summary>
    public ComposePlace? VersionPlace { get; }

    /// <summary>Where <c>include</c> or <c>extends</c> bring in what stands elsewhere. It is not read, so the services may say more than is seen here.</summary>
    public IReadOnlyList<ComposePlace> NotFollowed { get; }

    /// <summary>Reads compose files.</summary>
    /// <param name="paths">The files; each is laid over the ones before it. The first one's folder is the project's.</param>
    /// <param name="environment">Compose's own environment: the value of a variable, or null; this process's own if not given.</param>
    /// <param name="profiles">The active profiles, <c>*</c> for all; those of <c>COMPOSE_PROFILES</c> if not given.</param>
    /// <param name="environmentFile">The <c>.env</c> file; the one in the project's folder, if there is one, when not given.</param>
    /// <param name="consumer">Which version of Compose is asked what it gets out of <c>.env</c> and <c>env_file</c>.</param>
    /// <returns>The services. Values that interpolation spoiled are kept, and told in <see cref="ComposeService.Problems"/>.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ComposeFileInvalid</c>, with file, line and column; <c>ComposeFileUnreadable</c>; <c>DotEnvSyntax</c>, about the
    /// <c>.env</c> file. None of them quotes a secret.
    /// </exception>
    public static ComposeFile Load(
        IReadOnlyList<string> paths,
        Func<string, string?>? environment = null,
        IReadOnlyCollection<string>? profiles = null,
        string? environmentFile = null,
        DotEnvConsumer consumer = DotEnvConsumer.ComposeV2)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count, nameof(paths));
        return Parse([.. paths.Select(Path.GetFullPath).Select(path => (path, ReadText(path)))], environment ?? Environment.GetEnvironmentVariable, profiles, environmentFile, consumer);
    }

    /// <summary>As <see cref="Load"/>, for texts that are read already.</summary>
    internal static ComposeFile Parse(
        IReadOnlyList<(string Path, string Text)> files,
        Func<string, string?> environment,
        IReadOnlyCollection<string>? profiles,
        string? environmentFile,
        DotEnvConsumer consumer = DotEnvConsumer.ComposeV2)
    {
        var projectFolder = Path.GetDirectoryName(files[0].Path)!;
        environmentFile ??= Path.Combine(projectFolder, ".env") is var beside && File.Exists(beside) ? beside : null;
        var variables = new ComposeEnvironment(environment, environmentFile is null ? null : Path.GetFullPath(environmentFile), consumer);

        ComposeMapping? merged = null;
        foreach (var (path, text) in files)
        {
            var tree = Prepare(ComposeYaml.Parse(text, path), variables);
            merged = merged is null ? tree : ComposeMerge.Merge(merged, tree);
        }

        var root = new ComposeReader(merged!);
        var active = (profiles ?? variables.Lookup("COMPOSE_PROFILES")?.Split(',') ?? []).Select(profile => profile.Trim()).ToHashSet();
        var volumeNames = NamesOf(root, "volumes");
        var services = new List<ComposeService>();
        var notFollowed = new List<ComposePlace>();
        if (root.Node["include"] is not null)
            notFollowed.Add(root.PlaceOf("include"));
        foreach (var (name, map) in root.Maps("services"))
        {
            if (name.StartsWith("x-", StringComparison.Ordinal))
                continue;
            if (ComposeServiceReader.Profiles(map) is { Count: > 0 } any && !active.Contains("*") && !any.Any(active.Contains))
                continue;
            services.Add(new ComposeServiceReader(name, root.Map("services")!.PlaceOf(name), map, projectFolder, variables, volumeNames).Read());
            if (map.Node["extends"] is not null)
                notFollowed.Add(map.PlaceOf("extends"));
        }

        return new ComposeFile([.. files.Select(file => file.Path)], services, root.Node["version"] is null ? null : root.PlaceOf("version"), notFollowed)
        {
            NetworkNames = NamesOf(root, "networks"),
            ProjectName = ProjectNameOf(variables.Lookup("COMPOSE_PROJECT_NAME") is { Length: > 0 } given ? given : root.Text("name") ?? Path.GetFileName(projectFolder)),
        };
    }

    /// <summary>Keeps what describes services, with its variables replaced; extensions (<c>x-*</c>) are only there for their anchors.</summary>
    private static ComposeMapping Prepare(ComposeMapping tree, ComposeEnvironment variables)
    {
        var entries = tree.Entries
            .Where(pair => pair.Key is "name" or "services" or "version" or "include" or "volumes" or "networks")
            .ToDictionary(pair => pair.Key, pair => pair.Value with { Value = variables.Interpolate(pair.Value.Value, pair.Key) });
        return new ComposeMapping(tree.Place, entries);
    }

    private static string ProjectNameOf(string name) => NoPartOfProjectName().Replace(name.ToLowerInvariant(), "").TrimStart('-', '_');

    /// <summary>The volumes or networks whose names do not begin with the project's: those that have a <c>name</c>, and those that are <c>external</c>.</summary>
    private static Dictionary<string, string> NamesOf(ComposeReader root, string section)
    {
        var names = new Dictionary<string, string>();
        foreach (var (key, map) in root.Maps(section))
        {
            // "external: {name: x}" is the older form.
            var external = map.Node["external"] is ComposeMapping older ? new ComposeReader(older).Text("name") ?? key
                : map.Boolean("external") == true ? key
                : null;
            if ((map.Text("name") ?? external) is { } name)
                names[key] = name;
        }

        return names;
    }

    private static string ReadText(string path)
    {
        var bytes = BoundedFile.ReadBytes(path);
        try
        {
            using var reader = new StreamReader(new MemoryStream(bytes), new UTF8Encoding(false, throwOnInvalidBytes: true));
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            throw ComposeErrors.Invalid(new ComposePlace(path, 1, 1), "the file is not UTF-8 text", "Save it as UTF-8.");
        }
    }

    [GeneratedRegex("[^-_a-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex NoPartOfProjectName();
}
