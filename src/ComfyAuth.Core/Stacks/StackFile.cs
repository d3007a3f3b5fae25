using ComfyAuth.DotEnv;
using YamlDotNet.RepresentationModel;

namespace ComfyAuth.Stacks;

/// <summary>
/// Reads <c>comfyauth.yml</c>: what it says is laid over the built-in defaults, service by service.
/// </summary>
public static class StackFile
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
    public static StackDefinition Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ComfyAuthException("StackFileUnreadable", $"'{path}' cannot be read: {error.Message}", "Check its permissions.", error);
        }

        return Parse(text, path);
    }

    /// <summary>Parses the text of a stack file.</summary>
    /// <param name="text">YAML, as <c>docs/stack-file.md</c> describes it.</param>
    /// <param name="path">The file's full path, for messages and to find the root.</param>
    /// <returns>The definition, defaults included.</returns>
    /// <exception cref="ComfyAuthException"><c>StackFileInvalid</c>, with file, line and column.</exception>
    public static StackDefinition Parse(string text, string path)
    {
        var root = Path.GetDirectoryName(path)!;
        var file = YamlMap.Load(text, path);
        file.Allow("version", "defaults", "source", "keepBackups", "services");

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
        };
        RefuseContradictions(definition, file, written);
        return definition;
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

    private static EnvironmentFile Environment(YamlMap map, EnvironmentFile? basis, string root)
    {
        map.Allow("file", "template", "required", "consumers");
        basis ??= new EnvironmentFile
        {
            Path = PathIn(map, "file", root) ?? throw map.Error(null, "the env file has no name", "Add 'file:' with its path."),
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
    private static string? PathIn(YamlMap map, string key, string root)
    {
        if (map.Text(key) is not { } text)
            return null;

        var relative = Path.IsPathFullyQualified(text) || text.Contains('\0')
            ? null
            : Path.GetRelativePath(root, Path.GetFullPath(text, root)).Replace('\\', '/');
        return relative is null or "." or ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative)
            ? throw map.Error(key, "the path is not one of a file inside the stack's folder", "Write it relative to the stack file; a symbolic link may lead elsewhere.")
            : relative;
    }
}
