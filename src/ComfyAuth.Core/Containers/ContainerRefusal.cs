using ComfyAuth.Compose;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Says what to do where the engine refuses to start a container.</summary>
internal static class ContainerRefusal
{
    /// <summary>Pieces of the engine's messages, and what to do about each.</summary>
    private static readonly (string[] Signs, string Remedy)[] Known =
    [
        (["port is already allocated", "address already in use", "ports are not available"],
            "Stop whoever has the port ('docker ps' shows containers), or publish another one in the compose file."),
        (["bind source path does not exist"],
            "Make the file or folder that the message names, or mend the mount in the compose file."),
        (["not a directory: unknown", "a directory onto a file", "mount a directory"],
            "A folder stands where a file is meant, or a file where a folder is: look at both ends of the mount, delete the folder that Docker made, and put the file there."),
        (["could not select device driver", "nvidia-container-cli", "unknown runtime specified nvidia", "unknown or invalid runtime name"],
            "Install the NVIDIA driver and the NVIDIA Container Toolkit on the engine's machine and restart Docker; 'nvidia-smi' must work there."),
    ];

    public static DockerException Explain(DockerException error) =>
        Remedy(error.Message) is { } remedy ? new(error.Code, error.Message, remedy, error) : error;

    public static ComfyAuthException Explain(ComposeCommandException error, string remains = "") =>
        new(error.Code, $"{error.Message.TrimEnd('.', '\n')}. {remains}".TrimEnd(), Remedy(error.Message) ?? error.Remedy, error);

    private static string? Remedy(string message) =>
        Array.Find(Known, entry => Array.Exists(entry.Signs, sign => message.Contains(sign, StringComparison.OrdinalIgnoreCase))).Remedy;
}
