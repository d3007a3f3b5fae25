using ComfyAuth.DotEnv;

namespace ComfyAuth.Compose;

/// <summary>Reads one service out of the merged tree.</summary>
internal sealed class ComposeServiceReader(
    string name, ComposePlace place, ComposeReader map, string projectFolder, ComposeEnvironment variables, IReadOnlyDictionary<string, string> volumeNames)
{
    /// <summary>More ports than there are is no service.</summary>
    private const int MaximumPorts = 65_536;

    private const int MaximumEnvironmentFiles = 100;

    private readonly List<InterpolationProblem> _problems = [];
    private readonly Dictionary<string, ComposeVariable> _environment = [];

    public ComposeService Read()
    {
        CollectProblems(map.Node);
        var files = map.Node["env_file"] is null ? [] : ReadEnvironmentFiles().ToList();
        ReadEnvironment();

        var deploy = map.Map("deploy");
        var resources = deploy?.Map("resources");
        return new ComposeService
        {
            Name = name,
            ContainerName = map.Text("container_name"),
            Image = map.Text("image") is { Length: > 0 } image ? image : null,
            HasBuild = map.Node["build"] is not null,
            Entrypoint = map.Words("entrypoint"),
            Command = map.Words("command"),
            Environment = [.. _environment.Values],
            EnvironmentFiles = files,
            Ports = ReadPorts(),
            Mounts = ReadMounts(),
            Healthcheck = map.Map("healthcheck") is { } healthcheck ? Healthcheck.Read(healthcheck) : null,
            DeviceReservations = [.. ComposeDeviceReservation.ReadAll(map)],
            Runtime = map.Text("runtime"),
            Restart = RestartPolicy(deploy),
            Networks = [.. Names("networks")],
            NetworkMode = map.Text("network_mode"),
            Labels = Texts(map, "labels"),
            Logging = map.Map("logging") is { } logging ? new ComposeLogging { Driver = logging.Text("driver"), Options = Texts(logging, "options") } : null,
            Init = map.Boolean("init") ?? false,
            Privileged = map.Boolean("privileged") ?? false,
            User = map.Text("user"),
            MemoryLimitInBytes = resources?.Map("limits")?.Size("memory") ?? map.Size("mem_limit"),
            MemoryReservationInBytes = resources?.Map("reservations")?.Size("memory") ?? map.Size("mem_reservation"),
            Profiles = Profiles(map),
            Problems = [.. _problems.Distinct()],
            Place = place,
            Source = map,
        };
    }

    /// <summary>The profiles of a service.</summary>
    public static IReadOnlyList<string> Profiles(ComposeReader map) => [.. map.Scalars("profiles").Select(profile => profile.Text!)];

    private void CollectProblems(ComposeNode node)
    {
        switch (node)
        {
            case ComposeScalar scalar:
                _problems.AddRange(scalar.Problems);
                break;
            case ComposeSequence list:
                foreach (var item in list.Items)
                    CollectProblems(item);
                break;
            case ComposeMapping mapping:
                foreach (var entry in mapping.Entries.Values)
                    CollectProblems(entry.Value);
                break;
        }
    }

    private IEnumerable<ComposeEnvironmentFile> ReadEnvironmentFiles()
    {
        var items = map.Node["env_file"] is ComposeScalar single ? [single] : map.List("env_file");
        if (items.Count > MaximumEnvironmentFiles)
            throw map.Node["env_file"]!.Error($"there are more than {MaximumEnvironmentFiles} env_files", "Put their lines together.");
        foreach (var item in items)
        {
            var entry = item switch
            {
                ComposeScalar { Text: { Length: > 0 } path } => new ComposeEnvironmentFile { Path = Path.GetFullPath(path, projectFolder), Place = item.Place },
                ComposeMapping form when new ComposeReader(form) is var reader => new ComposeEnvironmentFile
                {
                    Path = Path.GetFullPath(reader.Text("path") ?? throw item.Error("the env_file has no path", "Add 'path:'."), projectFolder),
                    IsRequired = reader.Boolean("required") ?? true,
                    IsRaw = reader.Text("format") == "raw",
                    Place = item.Place,
                },
                _ => throw item.Error("'env_file' takes a file or a list of files", "Write '- file.env' lines."),
            };
            yield return entry with { Fault = ReadEnvironmentFile(entry) };
        }
    }

    private string? ReadEnvironmentFile(ComposeEnvironmentFile entry)
    {
        if (!File.Exists(entry.Path) && !Directory.Exists(entry.Path))
            return entry.IsRequired ? $"There is no file '{entry.Path}'." : null;

        try
        {
            string? Find(string variable) =>
                _environment.TryGetValue(variable, out var earlier) && earlier.HasValue ? earlier.Reveal() : variables.Lookup(variable);
            foreach (var reading in ComposeEnvironment.ReadFile(entry.Path, entry.IsRaw ? DotEnvConsumer.DockerRun : variables.Consumer, Find).ToList())
            {
                var problems = ComposeEnvironment.ProblemsOf(reading, entry.Path, $"services.{name}.environment.{reading.Name}").ToList();
                _problems.AddRange(problems);
                _environment[reading.Name] = new ComposeVariable(reading.Name, reading.Value, ComposeVariableOrigin.EnvironmentFile, new ComposePlace(entry.Path, reading.Line, reading.Column))
                {
                    IsSpoiled = IsSpoiled(problems),
                };
            }

            return null;
        }
        catch (ComfyAuthException error) when (error.Code is "DotEnvSyntax" or "ComposeFileUnreadable")
        {
            return error.Message;
        }
    }

    private void ReadEnvironment()
    {
        foreach (var (variable, at, value) in map.KeyValues("environment"))
        {
            _environment[variable] = value.Text is { } text
                ? new ComposeVariable(variable, text, value.Variables.Count > 0 ? ComposeVariableOrigin.Interpolated : ComposeVariableOrigin.Literal, at) { IsSpoiled = IsSpoiled(value.Problems) }
                : new ComposeVariable(variable, variables.Lookup(variable), ComposeVariableOrigin.Inherited, at);
        }
    }

    /// <summary>A hash that is not escaped may be whole all the same.</summary>
    private static bool IsSpoiled(IEnumerable<InterpolationProblem> problems) => problems.Any(problem => problem.Kind != InterpolationProblemKind.HashNotEscaped);

    private List<ComposePort> ReadPorts()
    {
        var ports = new List<ComposePort>();
        foreach (var item in map.List("ports"))
        {
            ports.AddRange(ComposePorts.Read(item));
            if (ports.Count > MaximumPorts)
                throw item.Error("the service has more ports than there are", "Check the ranges.");
        }

        return ports;
    }

    private List<ComposeMount> ReadMounts()
    {
        var home = variables.Lookup("HOME") ?? variables.Lookup("USERPROFILE");
        return
        [
            .. map.List("volumes").Select(item => ComposeMounts.Read(item, projectFolder, home)).Select(mount =>
                mount is { Kind: ComposeMountKind.Volume, Source: { } source } ? mount with { VolumeName = volumeNames.GetValueOrDefault(source) } : mount),
            .. map.Scalars("tmpfs").Select(ComposeMounts.ReadMemory),
        ];
    }

    /// <summary>Compose v2 lets the policy under <c>deploy</c> win over <c>restart</c>.</summary>
    private string? RestartPolicy(ComposeReader? deploy)
    {
        if (deploy?.Map("restart_policy") is not { } policy)
            return map.Text("restart") switch { "false" => "no", var restart => restart };

        var attempts = policy.Integer("max_attempts");
        return policy.Text("condition") switch
        {
            null or "any" => "always",
            "none" => "no",
            "on-failure" when attempts > 0 => $"on-failure:{attempts}",
            var condition => condition,
        };
    }

    private IEnumerable<string> Names(string key) =>
        map.Node[key] is ComposeMapping names ? names.Entries.Keys : map.Scalars(key).Select(network => network.Text!);

    private static Dictionary<string, string> Texts(ComposeReader map, string key) =>
        map.KeyValues(key).ToDictionary(pair => pair.Key, pair => pair.Value.Text ?? "");
}
