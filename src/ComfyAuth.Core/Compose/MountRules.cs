namespace ComfyAuth.Compose;

/// <summary>Rules about bind mounts; they look at this machine's files.</summary>
internal static class MountRules
{
    private static readonly HashSet<string> FileExtensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".sh", ".py", ".token", ".env", ".conf", ".cfg", ".config", ".json", ".yml", ".yaml", ".toml", ".ini", ".txt", ".pem", ".crt", ".key", ".sock", ".safetensors", ".list", ".xml", ".html", ".js", ".css",
    };

    public static IReadOnlyList<ComposeRule> All { get; } =
    [
        new("bind-file-missing", FindingSeverity.Error,
            "With the short syntax the engine makes an empty folder in its place, which then also stands where the program looks for a file; with the long syntax the container does not start.",
            "Make the file before the container; remove the folder first if there is one already.",
            (_, service) => Binds(service).Where(mount => IsFile(mount.Target) && !Exists(mount)).Select(mount => Fault(mount, "is missing"))),
        new("bind-is-directory", FindingSeverity.Error,
            "The program looks for a file there; such a folder is what the engine made when the file was missing.",
            "Stop the container, remove the folder, make the file, and recreate the container.",
            (_, service) => Binds(service).Where(mount => IsFile(mount.Target) && Directory.Exists(mount.Source)).Select(mount => Fault(mount, "is a folder"))),
        new("bind-folder-missing", FindingSeverity.Warning,
            "With the short syntax the engine makes an empty folder that belongs to root; with the long syntax the container does not start.",
            "Make the folder first, and let it belong to the user that the service runs as.",
            (_, service) => Binds(service).Where(mount => !IsFile(mount.Target) && !Exists(mount)).Select(mount => Fault(mount, "is missing"))),
    ];

    /// <summary>The binds whose source can be looked for here: a path of another kind of machine is the engine's own.</summary>
    private static IEnumerable<ComposeMount> Binds(ComposeService service) =>
        service.Mounts.Where(mount => mount.Kind == ComposeMountKind.Bind && mount.Source is not null && Path.IsPathFullyQualified(mount.Source));

    private static bool Exists(ComposeMount mount) => Path.Exists(mount.Source);

    /// <summary>Whether a path in the container is one of a file, by its name.</summary>
    private static bool IsFile(string target)
    {
        var name = target[(target.LastIndexOf('/') + 1)..];
        return name is "PASSWORD" or ".netrc" || FileExtensions.Contains(Path.GetExtension(name)) || name.StartsWith(".env.", StringComparison.Ordinal);
    }

    private static ComposeFault Fault(ComposeMount mount, string what) => new(mount.Place, $"'{mount.Source}', mounted at '{mount.Target}', {what}.");
}
