using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Processes;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Finds out which versions of packages are installed. Installs nothing, and imports nothing of theirs.</summary>
internal static class PythonEnvironment
{
    /// <summary>The folder that is an environment without being named.</summary>
    public const string DefaultFolder = ".venv";

    private const string Marker = "comfyauth-python";
    private const int LongestMetadata = 256 * 1024;
    private const int CannotBeStarted = 126;
    private const int NotFound = 127;

    /// <summary>-I leaves the user's own packages out; a look at their names and versions is harmless.</summary>
    private const string Script = $$"""
        import sys, site
        import importlib.metadata as metadata
        try:
            sys.path.append(site.getusersitepackages())
        except Exception:
            pass
        print("{{Marker}}\t" + sys.version.split()[0])
        for name in sys.argv[1:]:
            try:
                print(name + "\t" + (metadata.version(name) or ""))
            except metadata.PackageNotFoundError:
                pass
        """;

    private static readonly string[] Programs = ["python3", "python"];

    /// <summary>Reads a virtual environment without running anything of it.</summary>
    /// <returns>Null where the folder is no environment.</returns>
    public static InstalledPackages? InFolder(string folder, string name, IEnumerable<string> wanted)
    {
        var places = SitePackages(folder).ToList();
        if (places.Count == 0)
            return null;

        var names = wanted.Select(InstalledPackages.Normalize).ToHashSet(StringComparer.Ordinal);
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var place in places)
        {
            foreach (var entry in FileErrors.On(place, () => Directory.GetDirectories(place, "*.dist-info")).Order(StringComparer.Ordinal))
            {
                // The folder's name is name-version.dist-info, with _ for - in the name.
                var title = Path.GetFileName(entry);
                if (names.Contains(InstalledPackages.Normalize(title[..Math.Max(0, title.IndexOf('-', StringComparison.Ordinal))]))
                    && ReadMetadata(Path.Combine(entry, "METADATA")) is var (package, version))
                {
                    versions[InstalledPackages.Normalize(package)] = version;
                }
            }
        }

        return new($"the environment '{name}'", versions) { IsPartial = SeesSystem(folder) };
    }

    /// <summary>Asks the Python of this machine; null where there is none that can tell.</summary>
    public static async Task<InstalledPackages?> OnThisMachineAsync(IEnumerable<string> wanted, CancellationToken stop)
    {
        foreach (var program in Programs.SelectMany(name => ProgramSearch.Locate(name)))
        {
            var lines = new List<string>();
            var exitCode = await new ChildProcess(program, Arguments(wanted), Path.GetDirectoryName(program)).RunAsync(
                (line, isError) =>
                {
                    if (!isError)
                        lines.Add(line);
                },
                stop).ConfigureAwait(false);
            if (exitCode == 0 && Parse(lines, $"'{program}'") is { } installed)
                return installed;
        }

        return null;
    }

    /// <summary>Asks the Python of a container; null where there is none that can tell.</summary>
    /// <exception cref="ComfyAuthException">What the engine reports.</exception>
    public static async Task<InstalledPackages?> InContainerAsync(DockerClient engine, ServiceDefinition service, IEnumerable<string> wanted, CancellationToken stop)
    {
        foreach (var program in Programs)
        {
            var result = await engine.ExecAsync(service.Container, [program, .. Arguments(wanted)], stop: stop).ConfigureAwait(false);
            if (result.ExitCode is CannotBeStarted or NotFound)
                continue;
            if (result.ExitCode == 0 && Parse(result.StandardOutput.Split('\n', StringSplitOptions.TrimEntries), $"the container '{service.Container}'") is { } installed)
                return installed;
        }

        return null;
    }

    private static string[] Arguments(IEnumerable<string> wanted) => ["-I", "-c", Script, .. wanted];

    private static InstalledPackages? Parse(IEnumerable<string> lines, string where)
    {
        var pairs = lines.Select(line => line.Split('\t')).Where(parts => parts.Length == 2).ToList();
        if (pairs.Find(pair => pair[0] == Marker) is not [_, var python])
            return null;
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs.Where(pair => pair[0] != Marker))
            versions[InstalledPackages.Normalize(pair[0])] = pair[1];
        return new($"Python {python} of {where}", versions);
    }

    private static IEnumerable<string> SitePackages(string folder)
    {
        var windows = Path.Combine(folder, "Lib", "site-packages");
        if (Directory.Exists(windows))
            yield return windows;
        var library = Path.Combine(folder, "lib");
        if (!Directory.Exists(library))
            yield break;
        foreach (var version in FileErrors.On(library, () => Directory.GetDirectories(library, "python3*")))
        {
            var place = Path.Combine(version, "site-packages");
            if (Directory.Exists(place) && place != windows)
                yield return place;
        }
    }

    /// <summary>Whether the environment also has the packages of the Python that made it (PEP 405).</summary>
    private static bool SeesSystem(string folder)
    {
        var path = Path.Combine(folder, "pyvenv.cfg");
        return Head(path).Any(line => line.Split('=', 2, StringSplitOptions.TrimEntries) is ["include-system-site-packages", var value] && value.Equals("true", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Name and version of a package (core metadata, which begins like a mail).</summary>
    private static (string Name, string Version)? ReadMetadata(string path)
    {
        string? name = null;
        string? version = null;
        foreach (var line in Head(path).TakeWhile(line => line.Length > 0))
        {
            if (line.StartsWith("Name:", StringComparison.OrdinalIgnoreCase))
                name ??= line["Name:".Length..].Trim();
            else if (line.StartsWith("Version:", StringComparison.OrdinalIgnoreCase))
                version ??= line["Version:".Length..].Trim();
        }

        return name is null || version is null ? null : (name, version);
    }

    private static string[] Head(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            var bytes = new byte[LongestMetadata];
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return System.Text.Encoding.UTF8.GetString(bytes, 0, count).Split('\n', StringSplitOptions.TrimEntries);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            return [];
        }
    }
}
