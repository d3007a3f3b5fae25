using ComfyAuth.Compose;
using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>What Compose makes a container of.</summary>
/// <param name="Project">What the compose command is to work on.</param>
/// <param name="ServiceName">The service, as the compose file calls it.</param>
/// <param name="Service">The service; null where it stands in a file that is not read (<c>include</c>).</param>
internal sealed record ContainerBlueprint(ComposeProject Project, string ServiceName, ComposeService? Service)
{
    private static readonly string[] OverrideExtensions = [".override.yml", ".override.yaml"];

    /// <summary>The name of the compose file, for a sentence.</summary>
    public string FileName => Path.GetFileName(Project.Files[0]);

    /// <summary>A compose file and what Compose lays over it by itself.</summary>
    public static IReadOnlyList<string> FilesOf(string path) => [path, .. Override(path)];

    /// <summary>What a container that is not there would be made of.</summary>
    /// <exception cref="ComfyAuthException">
    /// <c>ContainerAbsent</c>: the stack names no compose file; <c>ComposeServiceNotFound</c>; or what <see cref="ComposeFile.Load"/> reports.
    /// </exception>
    public static ContainerBlueprint OfNew(GenAIStack stack, ServiceDefinition service)
    {
        if (service.ComposeFile is null)
        {
            throw new ComfyAuthException(
                "ContainerAbsent",
                $"There is no container '{service.Container}', and the stack '{stack.Root}' names no compose file to make it from.",
                $"Make the container, or name the compose file of the service '{service.Name}' in {GenAIStack.FileName}.");
        }

        var path = stack.PathOf(service.ComposeFile);
        var project = new ComposeProject { Files = FilesOf(path) };
        var file = ComposeFile.Load(project.Files, profiles: ["*"]);
        var found = Find(file, service);
        if (found is null && file.NotFollowed.Count == 0)
            throw NotFound(path, $"has neither a service with the container name '{service.Container}' nor one called '{service.Name}'", service);
        if (found?.ContainerName is { } other && other != service.Container)
            throw NotFound(path, $"makes the container '{other}' of the service '{found.Name}', not '{service.Container}'", service);
        return new(project, found?.Name ?? service.Name, found);
    }

    /// <summary>What a container that is there was made of.</summary>
    /// <returns>The blueprint; where it cannot be told, why, as a clause without a full stop. Neither where nothing says what it was made of.</returns>
    public static (ContainerBlueprint? Blueprint, string? Obstacle) Of(GenAIStack stack, ServiceDefinition service, ContainerOrigin? origin)
    {
        try
        {
            if (service.ComposeFile is null)
                return (null, origin is null ? null : "the stack names no compose file of it");

            var path = stack.PathOf(service.ComposeFile);
            var project = origin is null ? new ComposeProject { Files = FilesOf(path) } : ProjectOf(origin, path);
            if (origin is null && !File.Exists(path))
                return (null, null);
            if (Obstacle(stack.Root, project, origin, path) is { } obstacle)
                return (null, obstacle);

            var reader = origin?.IsFirstVersion == true ? DotEnvConsumer.ComposeV1 : DotEnvConsumer.ComposeV2;
            var file = ComposeFile.Load(project.Files, profiles: ["*"], environmentFile: project.EnvironmentFile, consumer: reader);
            if (file.NotFollowed is [var place, ..])
                return (null, $"{place} brings in what stands elsewhere");

            var found = origin is null ? Find(file, service) : file.Services.FirstOrDefault(item => item.Name == origin.Service);
            return found is null ? (null, origin is null ? null : $"'{path}' has no service '{origin.Service}' any more")
                : found.EnvironmentFiles.FirstOrDefault(item => item.Fault is not null)?.Fault is { } fault ? (null, fault.TrimEnd('.'))
                : found.Problems.FirstOrDefault(item => item.Kind == InterpolationProblemKind.Refused) is { } problem ? (null, $"{problem.Place}: {problem.Message}")
                : (new(project, found.Name, found), null);
        }
        catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // The paths in the labels are those of whichever machine the compose command ran on.
            return (null, error.Message.TrimEnd('.'));
        }
    }

    private static ComposeProject ProjectOf(ContainerOrigin origin, string path) => new()
    {
        Files = origin.Files.Count > 0 ? [.. origin.Files.Select(file => origin.Folder is null ? Path.GetFullPath(file) : Path.GetFullPath(file, origin.Folder))] : [path],
        Name = origin.Project,
        EnvironmentFile = origin.EnvironmentFile,
    };

    /// <summary>
    /// Why the files that a container was made from cannot be gone by. They are named by its labels, which whoever has the engine may
    /// write: the stack's own compose file must be among them, and the others must be the stack's too.
    /// </summary>
    private static string? Obstacle(string root, ComposeProject project, ContainerOrigin? origin, string path) =>
        !project.Files.Any(file => IsSame(file, path)) ? $"it was made from {string.Join(" and ", project.Files.Select(file => $"'{file}'"))}, not from '{path}'"
        : project.Files.Append(project.EnvironmentFile ?? path).FirstOrDefault(file => !IsSame(file, path) && !IsInside(root, file)) is { } foreign ? $"it was made from '{foreign}' too, which is not the stack's"
        : project.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing ? $"there is no '{missing}' any more"
        : origin?.Folder is { } folder && !IsSame(folder, Path.GetDirectoryName(project.Files[0])!) ? $"the folder of its project was '{folder}'"
        : project.EnvironmentFile is { } environment && !File.Exists(environment) ? $"there is no '{environment}' any more"
        : null;

    private static bool IsSame(string one, string other) => RealPath.Comparer.Equals(RealPath.Of(one), RealPath.Of(other));

    private static bool IsInside(string root, string path) =>
        RealPath.Of(path).StartsWith(Path.TrimEndingDirectorySeparator(RealPath.Of(root)) + Path.DirectorySeparatorChar, RealPath.Comparer == StringComparer.Ordinal ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);

    private static ComposeService? Find(ComposeFile file, ServiceDefinition service) =>
        file.Services.FirstOrDefault(item => item.ContainerName == service.Container) ?? file.Services.FirstOrDefault(item => item.Name == service.Name);

    /// <summary>What Compose lays over a file with its default name by itself, but not when it is told the name.</summary>
    private static IEnumerable<string> Override(string path) => Path.GetFileNameWithoutExtension(path) is "docker-compose" or "compose"
        ? OverrideExtensions.Select(extension => Path.ChangeExtension(path, extension)).Where(File.Exists).Take(1)
        : [];

    private static ComfyAuthException NotFound(string path, string what, ServiceDefinition service) => new(
        "ComposeServiceNotFound",
        $"'{path}' {what}.",
        $"Write 'container_name: {service.Container}' below its service there, or mend 'container' of '{service.Name}' in {GenAIStack.FileName}.");
}
