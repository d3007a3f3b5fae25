using System.Globalization;
using System.Text;
using ComfyAuth.Compose;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation;

/// <summary>
/// Lays out what ComfyUI is deployed with: compose file, Dockerfile, its two scripts, settings, folders, and the description of the stack. Only what
/// is missing is written; what is there stays, whatever is in it. No file holds a secret.
/// </summary>
public static class DeploymentTemplates
{
    /// <summary>The release of ComfyUI that an image is made of.</summary>
    public const string ComfyUIVersion = "0.3.76";

    /// <summary>The commit of that release.</summary>
    public const string ComfyUICommit = "30c259cac8c08ff8d015f9aff3151cb525c9b702";

    /// <summary>The commit of ComfyUI-Login, whose releases have no tags.</summary>
    public const string LoginCommit = "69109257f4629a11ebe26cd65667536c4f8dddcb";

    /// <summary>The file that ComfyUI-Login reads, as a path in the container.</summary>
    public const string PasswordFile = "/workspace/ComfyUI/login/PASSWORD";

    private const string SharedFolder = "docker-configurations/shared";

    /// <summary>The folders that are laid out for the service to write into, relative to the root.</summary>
    internal static IReadOnlyList<string> DataFolders { get; } = [$"{SharedFolder}/inputs", $"{SharedFolder}/outputs", $"{SharedFolder}/user"];

    private const string ComposeName = "docker-compose.yml";
    private const string TemplateName = ".env.example";
    private const int DefaultPort = 8188;

    // PyTorch alone takes most of that.
    private const long LeastMemory = 1L << 30;

    // Docker Desktop gives mounted files to whichever user asks, so that any will do.
    private static readonly (uint User, uint Group) FirstUser = (1000, 1000);

    /// <summary>Finds out what is missing.</summary>
    /// <param name="root">The folder of the stack; it need not be one yet.</param>
    /// <param name="options">How to deploy; null for a GPU and everything else as usual.</param>
    /// <returns>The plan. Once it is carried out the next one is empty.</returns>
    /// <exception cref="ArgumentException">A port, a GPU or a memory limit that there cannot be.</exception>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceNotFound</c>: the stack has no such service, or none behind ComfyUI-Login; what <see cref="StackFile.Read"/> reports; or a file cannot be read.
    /// </exception>
    public static DeploymentPlan Plan(string root, DeploymentOptions? options = null)
    {
        options ??= new();
        Validate(options);
        root = Path.GetFullPath(root);
        var description = GenAIStack.IsRoot(root) ? null : Description(options.Port ?? DefaultPort);
        var stack = description is null ? GenAIStack.Find(root) : new GenAIStack
        {
            Root = root,
            Definition = StackFile.Parse(Encoding.UTF8.GetString(description.Content.Span), Path.Combine(root, GenAIStack.FileName)),
        };

        var service = Installer.ServiceOf(stack, new() { Service = options.Service });
        var models = service.ModelsFolder ?? DefaultLayout.ModelsFolder;
        var compose = service.ComposeFile ?? $"{DefaultLayout.QwenFolders[0]}/{ComposeName}";
        var files = new List<DeploymentFile>();
        if (description is not null)
            files.AddRange([description, File(".secrets/.gitignore", "Keeps the source of truth out of version control.", "*\n")]);
        files.AddRange(ServiceFiles(service, compose, models, options with { Port = options.Port ?? service.Url.Port }));
        files.AddRange(Folders(root, models));
        return Compare(stack, files, compose);
    }

    private static void Validate(DeploymentOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(options.Port is null or (>= 1 and <= 65535), true, nameof(options.Port));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MemoryLimit ?? long.MaxValue, LeastMemory, nameof(options.MemoryLimit));
        if (options.Gpu.Length == 0 || !options.Gpu.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or ','))
            throw new ArgumentException($"'{options.Gpu}' is neither a number nor a UUID of a GPU.", nameof(options));
    }

    private static DeploymentFile Description(int port)
    {
        var catalogue = new StringBuilder();
        foreach (var model in DefaultLayout.QwenModels)
        {
            catalogue.Append(CultureInfo.InvariantCulture, $"      - file: {model.Kind}/{model.Name}\n");
            catalogue.Append(CultureInfo.InvariantCulture, $"        size: {model.SizeInBytes}\n");
            catalogue.Append(CultureInfo.InvariantCulture, $"        sha256: {model.Sha256}\n");
            catalogue.Append(CultureInfo.InvariantCulture, $"        repository: {model.Repository}\n");
            catalogue.Append(CultureInfo.InvariantCulture, $"        path: {model.PathInRepository}\n");
        }

        return File(GenAIStack.FileName, "Says what this folder holds, so that only that is checked.", Text(
            "comfyauth.yml", ("FOLDER", DefaultLayout.QwenFolders[0]), ("MODELS_FOLDER", DefaultLayout.ModelsFolder), ("PORT", Number(port)), ("CATALOGUE", catalogue.ToString())));
    }

    private static IEnumerable<DeploymentFile> ServiceFiles(ServiceDefinition service, string compose, string models, DeploymentOptions options)
    {
        var folder = compose[..(compose.LastIndexOf('/') + 1)];
        var shared = UpTo(folder, SharedFolder);
        var container = Variant(options.Cpu ? "cpu" : "gpu", Text(
            ComposeName,
            ("SERVICE", service.Name), ("CONTAINER", service.Container), ("VERSION", ComfyUIVersion), ("SHARED", shared), ("MODELS", UpTo(folder, models))));
        yield return File(compose, "Describes the container.", container);
        yield return File($"{folder}Dockerfile", "Makes the image, with everything installed at pinned commits.", Text("Dockerfile", ("COMFYUI_COMMIT", ComfyUICommit), ("LOGIN_COMMIT", LoginCommit)));
        yield return File($"{folder}.dockerignore", "Keeps secrets out of the image.", Text("dockerignore"));
        yield return File($"{folder}install.sh", "Installs ComfyUI and ComfyUI-Login, in the image or at the first start.", Text("install.sh", ("COMFYUI_COMMIT", ComfyUICommit), ("LOGIN_COMMIT", LoginCommit)));
        yield return File($"{folder}entrypoint.sh", "Starts ComfyUI, and refuses to where it would be open to everybody.", Text("entrypoint.sh"));
        yield return File($"{folder}.gitignore", "Keeps secrets out of version control.", Text("gitignore"));
        yield return File($"{folder}.gitattributes", "Keeps the line ends of the scripts, which a checkout on Windows would change.", Text("gitattributes"));

        // The same twice: a .env file that is made anew of the template must fit this machine as well.
        var settings = Settings(Text("env.example"), options);
        yield return File(folder + TemplateName, "Shows which settings there are, for a .env file that is made anew.", settings);
        yield return File($"{folder}.env", "Holds the settings of this machine, and the credential later.", settings, FileProtection.OwnerOnly);
    }

    /// <summary>A folder that is mounted must be there, and belong to who runs the container: a file makes it, and keeps its content out of version control.</summary>
    private static IEnumerable<DeploymentFile> Folders(string root, string models) =>
        from folder in DataFolders.Prepend(models)
        where !Directory.Exists(Path.Combine(root, folder))
        select File($"{folder}/.gitignore", "Makes the folder, which is mounted into the container.", Text("ignore-all"));

    private static string Settings(string template, DeploymentOptions options)
    {
        var (user, group) = options.User ?? CurrentUser();
        var memory = options.MemoryLimit is { } limit ? $"{limit >> 20}m" : null;
        (string Name, string? Value)[] settings =
        [
            ("COMFYUI_PORT", Number(options.Port ?? DefaultPort)),
            ("COMFYUI_BIND_ADDRESS", options.IsPublic ? "0.0.0.0" : null),
            ("COMFYUI_UID", Number(user)),
            ("COMFYUI_GID", Number(group)),
            ("COMFYUI_MEMORY_LIMIT", memory),
            ("GPU_DEVICE_ID", options.Gpu),
        ];
        return string.Join('\n', template.Split('\n').Select(line =>
            Array.Find(settings, setting => line.StartsWith(setting.Name + "=", StringComparison.Ordinal)) is { Value: { } value, Name: var name } ? $"{name}={value}" : line));
    }

    private static (uint User, uint Group) CurrentUser() => OperatingSystem.IsLinux() ? Posix.EffectiveUser() : FirstUser;

    private static DeploymentPlan Compare(GenAIStack stack, List<DeploymentFile> files, string compose)
    {
        var missing = new List<DeploymentFile>();
        var kept = new List<string>();
        foreach (var file in files)
        {
            var path = stack.PathOf(file.Path);
            if (!Path.Exists(path))
                missing.Add(file);
            else if (!IsSettings(file) && !IsSame(path, file.Content))
                kept.Add(file.Path);
        }

        // A compose file that is not ours needs none of what ours mounts and builds.
        return new() { Stack = stack, Missing = kept.Contains(compose) && !IsOurs(stack.PathOf(compose)) ? [] : missing, Kept = kept };
    }

    /// <summary>Settings are there to be changed.</summary>
    private static bool IsSettings(DeploymentFile file) => file.Protection == FileProtection.OwnerOnly || file.Path.EndsWith(TemplateName, StringComparison.Ordinal);

    private static bool IsSame(string path, ReadOnlyMemory<byte> content)
    {
        // A link may lead nowhere, and a pipe would be waited for.
        var real = RealPath.Of(path);
        return new FileInfo(real) is { Exists: true } file && file.Length == content.Length
            && FileErrors.On(path, () => System.IO.File.ReadAllBytes(real)).AsSpan().SequenceEqual(content.Span);
    }

    private static bool IsOurs(string compose) =>
        new FileInfo(RealPath.Of(compose)).Exists && Encoding.UTF8.GetString(BoundedFile.ReadBytes(compose)).Contains("Install-ComfyQwen", StringComparison.Ordinal);

    private static DeploymentFile File(string path, string why, string content, FileProtection protection = FileProtection.Keep) =>
        new() { Path = path, Content = Encoding.UTF8.GetBytes(content), Protection = protection, Why = why };

    private static string Text(string name, params ReadOnlySpan<(string Name, string Value)> values)
    {
        using var stream = typeof(DeploymentTemplates).Assembly.GetManifestResourceStream($"ComfyAuth.Installation.Templates.{name}")!;
        using var reader = new StreamReader(stream);

        // A script with CRLF ends does not run, and a checkout on Windows may have made them.
        var text = reader.ReadToEnd().ReplaceLineEndings("\n");
        foreach (var (placeholder, value) in values)
            text = text.Replace($"@{placeholder}@", value, StringComparison.Ordinal);
        return text;
    }

    /// <summary>Takes the lines of one variant, and those of none: a line ends in the variant that it belongs to.</summary>
    private static string Variant(string variant, string text) => string.Concat(
        from line in text.Split('\n')[..^1]
        let mark = line.LastIndexOf(" #<", StringComparison.Ordinal)
        where mark < 0 || line.EndsWith($" #<{variant}>", StringComparison.Ordinal)
        select (mark < 0 ? line : line[..mark]) + "\n");

    private static string UpTo(string folder, string path) => Path.GetRelativePath("/" + folder, "/" + path).Replace('\\', '/') switch
    {
        ['.', ..] relative => relative,
        var relative => "./" + relative,
    };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
