using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>What the labels of a container tell about the compose command that made it.</summary>
/// <param name="Project">The project's name.</param>
/// <param name="Service">The service's name.</param>
/// <param name="Folder">The project's folder, as the command's machine names it; null where it is not told.</param>
/// <param name="Files">The compose files, as they were given; relative ones are relative to the folder.</param>
/// <param name="EnvironmentFile">The <c>.env</c> file, where it was given.</param>
/// <param name="IsFirstVersion">Whether it was docker-compose 1.</param>
internal sealed record ContainerOrigin(
    string Project, string Service, string? Folder, IReadOnlyList<string> Files, string? EnvironmentFile, bool IsFirstVersion)
{
    public const string ProjectLabel = Prefix + "project";
    public const string ServiceLabel = Prefix + "service";
    private const string Prefix = "com.docker.compose.";

    /// <summary>Null for a container that Compose did not make.</summary>
    public static ContainerOrigin? Of(ContainerDetails container)
    {
        var labels = container.Labels;
        return labels.GetValueOrDefault(ProjectLabel) is { Length: > 0 } project && labels.GetValueOrDefault(ServiceLabel) is { Length: > 0 } service
            ? new(
                project,
                service,
                FolderOf(labels),
                labels.GetValueOrDefault(ProjectLabel + ".config_files")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
                labels.GetValueOrDefault(ProjectLabel + ".environment_file") is { Length: > 0 } file ? file : null,
                labels.GetValueOrDefault(Prefix + "version")?.StartsWith("1.", StringComparison.Ordinal) == true)
            : null;
    }

    /// <summary>The folder of the project whose command made a container, as that machine names it; null where it is not told.</summary>
    public static string? FolderOf(IReadOnlyDictionary<string, string> labels) => labels.GetValueOrDefault(ProjectLabel + ".working_dir");

    /// <summary>Whether <c>compose run</c> made a container for one command, which <c>compose up</c> leaves alone.</summary>
    public static bool IsOneOff(IReadOnlyDictionary<string, string> labels) => labels.GetValueOrDefault(Prefix + "oneoff") == "True";
}
