using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;
using YamlDotNet.RepresentationModel;

namespace ComfyAuth.Stacks;

/// <summary>
/// Reads <c>comfyauth.yml</c>: what it says is laid over the built-in defaults, service by service.
/// </summary>
public static partial class StackFile
{
    /// <summary>The only version of the format so far.</summary>
    public const int Version = 1;

    private static readonly Dictionary<string, AuthKind> AuthKinds = new()
    {
        ["none"] = AuthKind.None,
        ["comfyui-login"] = AuthKind.ComfyUILogin,
        ["bearer"] = AuthKind.Bearer,
    };

    private static readonly Dictionary<string, TokenFormat> Formats = new()
    {
        ["env"] = TokenFormat.DotEnv,
        ["token"] = TokenFormat.TokenFile,
        ["password-file"] = TokenFormat.PasswordFile,
    };

    private static readonly Dictionary<string, TokenRole> Roles = new()
    {
        ["hash"] = TokenRole.Hash,
        ["password"] = TokenRole.Password,
        ["user-name"] = TokenRole.UserName,
    };

    private static readonly Dictionary<string, TokenPresence> Presences = new()
    {
        ["always"] = TokenPresence.Always,
        ["when-file-exists"] = TokenPresence.WhenFileExists,
        ["when-present"] = TokenPresence.WhenPresent,
    };

    private static readonly Dictionary<string, DotEnvConsumer> Consumers = new()
    {
        ["compose-v2"] = DotEnvConsumer.ComposeV2,
        ["compose-v1"] = DotEnvConsumer.ComposeV1,
        ["docker-run"] = DotEnvConsumer.DockerRun,
        ["shell"] = DotEnvConsumer.Shell,
    };

    /// <summary>Reads a stack file.</summary>
    /// <param name="path">The file's full path; its folder is the stack's root.</param>
    /// <returns>The definition, defaults included.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="Parse"/>, or <c>StackFileUnreadable</c>.</exception>
    public static StackDefinition Read(string path) => Parse(StackFileText.Read(path), path);

    /// <summary>Parses the text of a stack file.</summary>
    /// <param name="text">YAML, as <c>docs/stack-file.md</c> describes it.</param>
    /// <param name="path">The file's full path, for messages and to find the root.</param>
    /// <returns>The definition, defaults included.</returns>
    /// <exception cref="ComfyAuthException"><c>StackFileInvalid</c>, with file, line and column.</exception>
    public static StackDefinition Parse(string text, string path)
    {
        var root = Path.GetDirectoryName(path)!;
        var file = YamlMap.Load(text, path);
        file.Allow("version", "defaults", "source", "keepBackups", "services", "content", "apis", "python");

        if (file.Integer("version") is { } version && version != Version)
            throw file.Error("version", $"version {version} is not known", $"This release reads version {Version}.");

        var basis = file.Boolean("defaults") ?? true
            ? DefaultLayout.Describe(root)
            : new StackDefinition { Source = DefaultLayout.Source, Services = [] };

        var keep = file.Integer("keepBackups") ?? basis.KeepBackups;
        if (keep < 1)
            throw file.Error("keepBackups", "at least one backup must be kept", "Give 1 or more.");

        var written = file.Map("services");
        var definition = basis with
        {
            Source = PathIn(file, "source", root) ?? basis.Source,
            KeepBackups = keep,
            Services = Services(written, basis.Services, root),
            Content = file.Map("content") is { } content ? Content(content, basis.Content, root) : basis.Content,
            Apis = Apis(file.Map("apis"), basis.Apis, root),
        };
        definition = definition with { Python = file.Map("python") is { } python ? Python(python, definition, root) : definition.Python };
        RefuseContradictions(definition, file, written);
        RefuseKeysWithoutFile(definition, file);
        return definition;
    }

    private static ContentDefinition Content(YamlMap map, ContentDefinition? basis, string root)
    {
        map.Allow("folder", "folders", "notebooks", "documents", "tutorials", "examples", "env");
        if (PathIn(map, "folder", root) is { } folder)
            basis = basis is null ? new ContentDefinition { Folder = folder } : DefaultLayout.Content(folder);
        else if (basis is null)
            throw map.Error(null, "the content has no folder", "Add 'folder:' with the folder that the notebooks lie in.");

        return basis with
        {
            IsRequired = true,
            Folders = PathsIn(map, "folders", root) ?? basis.Folders,
            Notebooks = PathsIn(map, "notebooks", root) ?? basis.Notebooks,
            Documents = PathsIn(map, "documents", root) ?? basis.Documents,
            Tutorials = PathsIn(map, "tutorials", root) ?? basis.Tutorials,
            Examples = PathsIn(map, "examples", root) ?? basis.Examples,
            Environment = map.Map("env") is { } environment
                ? Environment(environment, basis.Environment, root, DefaultLayout.NotebookEnvironment(basis.Folder).Consumers)
                : basis.Environment,
        };
    }

    private static List<ExternalApi> Apis(YamlMap? map, IReadOnlyList<ExternalApi> defaults, string root)
    {
        var apis = defaults.ToList();
        foreach (var name in map?.Keys ?? [])
        {
            var written = map!.Map(name) ?? throw map.Error(name, $"API '{name}' says nothing", "Give it at least one key, or delete the line.");
            written.Allow("remove", "url", "path", "variable", "file");
            var index = apis.FindIndex(api => api.Name == name);
            if (written.Boolean("remove") == true)
            {
                if (index < 0)
                    throw written.Error("remove", $"there is no API '{name}' to remove", NearestName.Suggest(name, apis.Select(api => api.Name)) + "Delete the entry.");
                apis.RemoveAt(index);
                continue;
            }

            var basis = index < 0 ? null : apis[index];
            var api = new ExternalApi
            {
                Name = name,
                Url = ApiAddress(written) ?? basis?.Url ?? throw written.Error(null, $"API '{name}' has no url", "Add where it is, for example 'url: https://api.example.com'."),
                Path = ApiPath(written) ?? basis?.Path ?? throw written.Error(null, $"API '{name}' has no path", "Add an endpoint that costs nothing and asks for the key, for example 'path: /v1/models'."),
                Variable = written.Text("variable") ?? basis?.Variable ?? throw written.Error(null, $"API '{name}' has no variable", "Add the variable that holds its key, for example 'variable: EXAMPLE_API_KEY'."),
                File = PathIn(written, "file", root) ?? basis?.File,
            };
            if (index < 0)
                apis.Add(api);
            else
                apis[index] = api;
        }

        return apis;
    }

    /// <summary>A key is sent there: nobody on the way may read it.</summary>
    private static Uri? ApiAddress(YamlMap map)
    {
        if (Address(map) is not { } address)
            return null;
        if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
            throw map.Error("url", "a key would be sent where others can read it", "Use https; http is for this machine only, such as http://localhost:8080.");
        return address.UserInfo.Length + address.Query.Length + address.Fragment.Length == 0
            ? address
            : throw map.Error("url", "the address holds a user, a query or a fragment", "Write scheme, host and port only; the key goes into the .env file.");
    }

    private static string? ApiPath(YamlMap map) => map.Text("path") switch
    {
        null => null,
        ['/', not '/', ..] path when !path.AsSpan().ContainsAny("\\#") && Uri.IsWellFormedUriString(path, UriKind.Relative) => path,
        _ => throw map.Error("path", "the value is not a path of an address", "Begin it with one slash, for example /v1/models."),
    };

    private static PythonDefinition Python(YamlMap map, StackDefinition definition, string root)
    {
        map.Allow("packages", "environment", "container");
        var basis = definition.Python ?? new PythonDefinition { Packages = new Dictionary<string, string>() };
        var service = map.Text("container");
        var names = definition.Services.Select(service => service.Name).ToList();
        if (service is not null && !names.Contains(service))
            throw map.Error("container", $"there is no service '{service}'", $"{NearestName.Suggest(service, names)}Name the service whose container it is.");
        if (service is not null && map.Has("environment"))
            throw map.Error("environment", "packages are looked for in one place", "Name the environment or the container.");

        return basis with
        {
            Packages = map.Map("packages") is { } packages ? packages.Keys.ToDictionary(name => name, name => PackageVersion(packages, name)) : basis.Packages,
            Environment = PathIn(map, "environment", root) ?? basis.Environment,
            Service = service ?? basis.Service,
        };
    }

    private static string PackageVersion(YamlMap packages, string name)
    {
        if (!PackageName().IsMatch(name))
            throw packages.Error(name, $"'{name}' is no name of a Python package", "Use letters, digits, dots, dashes and underscores.");
        var version = packages.Text(name)!;
        return PythonVersion.TryParse(version, out _) ? version : throw packages.Error(name, $"'{version}' is no version of a Python package", "Write it like 1.3.0.");
    }

    private static void RefuseKeysWithoutFile(StackDefinition definition, YamlMap file)
    {
        if (definition.Content?.Environment is null && definition.Apis.FirstOrDefault(api => api.File is null) is { } api)
            throw (file.Map("apis") ?? file).Error(api.Name, $"API '{api.Name}' has no file", "Add 'file:' with the .env file that its variable stands in, or name that of the notebooks: content.env.");
    }

    /// <summary>A file is one thing: a source of truth, or a place of one credential in one format.</summary>
    private static void RefuseContradictions(StackDefinition definition, YamlMap file, YamlMap? services)
    {
        var sources = definition.Services.Select(service => service.Source ?? definition.Source).ToHashSet(StringComparer.Ordinal);
        var formats = new Dictionary<string, TokenFormat>(StringComparer.Ordinal);
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var service in definition.Services)
        {
            var source = service.Source ?? definition.Source;
            foreach (var location in service.TokenLocations)
            {
                if (sources.Contains(location.Path))
                    throw Refuse(service, $"'{location.Path}' is a source of truth and cannot be a place that is fed from one");
                if (!formats.TryAdd(location.Path, location.Format) && formats[location.Path] != location.Format)
                    throw Refuse(service, $"'{location.Path}' is given two formats");
                if (!owners.TryAdd(location.DisplayName, source) && owners[location.DisplayName] != source)
                    throw Refuse(service, $"'{location.DisplayName}' is fed from two sources of truth");
            }
        }

        ComfyAuthException Refuse(ServiceDefinition service, string problem) =>
            (services?.Has(service.Name) == true ? services : file).Error(service.Name, problem, "Name each file once for what it is.");
    }

    private static List<ServiceDefinition> Services(YamlMap? map, IReadOnlyList<ServiceDefinition> defaults, string root)
    {
        var services = defaults.ToList();
        foreach (var name in map?.Keys ?? [])
        {
            var written = map!.Map(name)
                ?? throw map.Error(name, $"service '{name}' says nothing", "Give it at least one key, or delete the line.");
            written.Allow("remove", "container", "url", "health", "auth", "compose", "source", "passwordFile", "env", "tokens", "modelsFolder", "models");
            var index = services.FindIndex(service => service.Name == name);
            if (written.Boolean("remove") == true)
            {
                if (index < 0)
                    throw written.Error("remove", $"there is no service '{name}' to remove", NearestName.Suggest(name, services.Select(service => service.Name)) + "Delete the entry.");
                services.RemoveAt(index);
                continue;
            }

            var service = Service(written, name, index < 0 ? null : services[index], root);
            if (index < 0)
                services.Add(service);
            else
                services[index] = service;
        }

        return services;
    }

    private static ServiceDefinition Service(YamlMap map, string name, ServiceDefinition? basis, string root)
    {
        basis ??= new ServiceDefinition
        {
            Name = name,
            Container = name,
            Url = Address(map) ?? throw map.Error(null, $"service '{name}' has no url", "Add where it is reached, for example 'url: http://localhost:8188'."),
        };

        return basis with
        {
            Container = map.Text("container") ?? basis.Container,
            Url = Address(map) ?? basis.Url,
            HealthPath = map.Text("health") ?? basis.HealthPath,
            Auth = map.Choice("auth", AuthKinds) ?? basis.Auth,
            ComposeFile = PathIn(map, "compose", root) ?? basis.ComposeFile,
            Source = PathIn(map, "source", root) ?? basis.Source,
            PasswordFile = PathInContainer(map, "passwordFile") ?? basis.PasswordFile,
            Environment = map.Map("env") is { } environment ? Environment(environment, basis.Environment, root) : basis.Environment,
            TokenLocations = map.Has("tokens") ? [.. map.Maps("tokens").Select(location => Location(location, root))] : basis.TokenLocations,
            ModelsFolder = PathIn(map, "modelsFolder", root) ?? basis.ModelsFolder,
            Models = map.Has("models") ? [.. map.Maps("models").Select(Model)] : basis.Models,
        };
    }

    private static ModelFile Model(YamlMap map)
    {
        map.Allow("file", "size", "sha256", "repository", "path");
        var file = map.Text("file") ?? throw map.Error(null, "the model has no file", "Add 'file:' with its path below the models folder, such as vae/qwen_image_vae.safetensors.");
        var parts = file.Split('/');
        if (parts.Length < 2 || Array.Exists(parts, part => part is "" or "." or ".." || part.AsSpan().IndexOfAny("\\:\0") >= 0))
            throw map.Error("file", "the file is not one below the models folder", "Write the folder of its kind and its name with / between them, such as vae/qwen_image_vae.safetensors.");
        var hash = map.Text("sha256");
        if (hash is not null && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigit)))
            throw map.Error("sha256", "the value is not a SHA-256", "Write its 64 hexadecimal digits.");

        return new()
        {
            Name = parts[^1],
            Kind = string.Join('/', parts[..^1]),
            SizeInBytes = map.Bytes("size"),
            Sha256 = hash?.ToLowerInvariant(),
            Repository = map.Text("repository"),
            PathInRepository = map.Text("path"),
        };
    }

    private static Uri? Address(YamlMap map)
    {
        if (map.Text("url") is not { } text)
            return null;

        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw map.Error("url", "the value is not an http or https address", "Write it like http://localhost:8188.");
    }

    private static EnvironmentFile Environment(YamlMap map, EnvironmentFile? basis, string root, DotEnvConsumer consumers = TokenLocation.DefaultConsumers)
    {
        map.Allow("file", "template", "required", "consumers");
        basis ??= new EnvironmentFile
        {
            Path = PathIn(map, "file", root) ?? throw map.Error(null, "the env file has no name", "Add 'file:' with its path."),
            Consumers = consumers,
        };

        return basis with
        {
            Path = PathIn(map, "file", root) ?? basis.Path,
            Template = PathIn(map, "template", root) ?? basis.Template,
            Required = map.Has("required") ? map.Texts("required") : basis.Required,
            Consumers = ConsumersOf(map) ?? basis.Consumers,
        };
    }

    private static TokenLocation Location(YamlMap map, string root)
    {
        map.Allow("file", "format", "variable", "role", "presence", "consumers");
        var variable = map.Text("variable");
        var format = map.Choice("format", Formats) ?? (variable is null ? TokenFormat.TokenFile : TokenFormat.DotEnv);
        if (format == TokenFormat.DotEnv != variable is not null)
            throw map.Error(variable is null ? "format" : "variable", "a variable goes with format 'env', and with no other", "Name the variable of a .env file, or leave it out.");

        var role = map.Choice("role", Roles) ?? (variable is null ? TokenRole.Hash : DefaultLayout.RoleOf(variable));
        if (format == TokenFormat.PasswordFile && role != TokenRole.Hash)
            throw map.Error("role", "a PASSWORD file holds the hash", "Leave the role out.");

        return new TokenLocation
        {
            Path = PathIn(map, "file", root) ?? throw map.Error(null, "the location has no file", "Add 'file:' with its path."),
            Format = format,
            Variable = variable,
            Role = role,
            Presence = map.Choice("presence", Presences) ?? TokenPresence.Always,
            Consumers = ConsumersOf(map) ?? TokenLocation.DefaultConsumers,
        };
    }

    private static DotEnvConsumer? ConsumersOf(YamlMap map)
    {
        if (!map.Has("consumers"))
            return null;

        // For nobody every value would be right.
        var consumers = map.Choices("consumers", Consumers).Aggregate(DotEnvConsumer.None, (all, one) => all | one);
        return consumers != DotEnvConsumer.None ? consumers
            : throw map.Error("consumers", "nobody would read the file", $"Name at least one of {string.Join(", ", Consumers.Keys)}, or leave the key out.");
    }

    private static string? PathInContainer(YamlMap map, string key) => map.Text(key) switch
    {
        null => null,
        ['/', .., not '/'] text when !text.Split('/').Contains("..") && !text.Any(char.IsControl) => text,
        _ => throw map.Error(key, "the path is not the absolute one of a file in a container", "Write it like /workspace/ComfyUI/login/PASSWORD."),
    };

    /// <summary>A path of the stack file stays inside the root: what lies elsewhere is not the stack's to change.</summary>
    private static string? PathIn(YamlMap map, string key, string root) => map.Text(key) is { } text ? Inside(map, key, text, root) : null;

    private static IReadOnlyList<string>? PathsIn(YamlMap map, string key, string root) =>
        map.Has(key) ? [.. map.Texts(key).Select(text => Inside(map, key, text, root))] : null;

    private static string Inside(YamlMap map, string key, string text, string root)
    {
        var relative = Path.IsPathFullyQualified(text) || text.Contains('\0')
            ? null
            : Path.GetRelativePath(root, Path.GetFullPath(text, root)).Replace('\\', '/');
        return relative is null or "." or ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative)
            ? throw map.Error(key, "the path is not one of a file inside the stack's folder", "Write it relative to the stack file; a symbolic link may lead elsewhere.")
            : relative;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex PackageName();
}
