using System.Net;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Containers;

/// <summary>
/// What stands at the sources of a container's bind mounts. They are looked at on this machine and never through the engine: to show
/// a path of a container, running or not, an engine mounts everything anew, and makes a directory of each source that is missing.
/// </summary>
/// <param name="Directories">Destinations where a directory stands although a file is meant.</param>
/// <param name="Gone">Destinations whose sources are gone; a container that runs has what stood there when it started.</param>
/// <param name="NotSeen">What could not be seen.</param>
internal sealed record MountSources(IReadOnlyList<string> Directories, IReadOnlyList<string> Gone, IReadOnlyList<string> NotSeen)
{
    private const int LongestExtension = 10;
    private static readonly MountSources None = new([], [], []);

    // A path of a network may hang.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Where the virtual machine of Docker Desktop has the files of its host.
    private static readonly string[] DesktopFolders = ["/host_mnt/", "/run/desktop/mnt/host/"];

    public static async Task<MountSources> LookAsync(ContainerDetails? container, GenAIStack stack, DockerEndpoint endpoint, CancellationToken stop)
    {
        if (container is null || container.Mounts.All(mount => mount.Type != "bind"))
            return None;
        if (!IsHere(endpoint))
            return None with { NotSeen = ["The sources of the bind mounts were not looked at, because they are on another machine."] };

        try
        {
            return await Task.Run(() => Look(container, stack), stop).WaitAsync(Patience, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return None with { NotSeen = ["The sources of the bind mounts could not be looked at within 5 s."] };
        }
    }

    internal static bool IsHere(DockerEndpoint endpoint) => endpoint.Transport switch
    {
        DockerTransport.UnixSocket or DockerTransport.NamedPipe => true,
        DockerTransport.Tcp => endpoint.Host == "localhost" || (IPAddress.TryParse(endpoint.Host, out var address) && IPAddress.IsLoopback(address)),
        _ => false,
    };

    /// <summary>The path on this machine of a source that the engine tells; null where it is on none of its disks.</summary>
    internal static string? HostPath(string source, bool isWindows)
    {
        var desktop = Array.Find(DesktopFolders, folder => source.StartsWith(folder, StringComparison.Ordinal));
        if (!isWindows)
            return desktop is null ? source : source[(desktop.Length - 1)..];
        if (desktop is null)
            return source is [_, ':', ..] ? source : null;

        var path = source[desktop.Length..];
        return path is [var drive, '/', ..] && char.IsAsciiLetter(drive) ? $"{char.ToUpperInvariant(drive)}:{path[1..]}" : null;
    }

    /// <summary>Whether the name of a path is one that files have.</summary>
    internal static bool LooksLikeFile(string path)
    {
        var name = path[(path.LastIndexOfAny(['/', '\\']) + 1)..];
        if (name is "PASSWORD" or "GUEST_MODE" or ".env")
            return true;

        // Not .cache, python3.11 or conf.d: so are folders called.
        var dot = name.LastIndexOf('.');
        var extension = name[(dot + 1)..];
        return dot > 0 && extension.Length is > 1 and <= LongestExtension && extension.All(char.IsAsciiLetterOrDigit) && extension.Any(char.IsAsciiLetter);
    }

    private static MountSources Look(ContainerDetails container, GenAIStack stack)
    {
        var files = stack.Definition.Services
            .SelectMany(service => service.TokenLocations.Select(location => location.Path).Append(service.Source ?? stack.Definition.Source))
            .Select(stack.PathOf)
            .ToHashSet(RealPath.Comparer);
        List<string> directories = [], gone = [], notSeen = [];
        foreach (var mount in container.Mounts.Where(mount => mount.Type == "bind"))
        {
            if (HostPath(mount.Source, OperatingSystem.IsWindows()) is not { } path)
                continue;

            try
            {
                var isDirectory = File.GetAttributes(path).HasFlag(FileAttributes.Directory);
                if (isDirectory && (files.Contains(Path.GetFullPath(path)) || ((LooksLikeFile(mount.Destination) || LooksLikeFile(mount.Source)) && IsEmpty(path))))
                    directories.Add(mount.Destination);
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
            {
                // Where not even the folder around it is here, the engine may have a disk that this machine has not.
                if (error is FileNotFoundException || RealPath.Inside(stack.Root, path) is not null)
                    gone.Add(mount.Destination);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                notSeen.Add($"The source of {mount.Destination} could not be looked at: {error.Message}");
            }
        }

        return new(directories, gone, notSeen);
    }

    /// <summary>Whether nothing is in a folder, as in one that Docker made; one that may not be looked into was made by another.</summary>
    private static bool IsEmpty(string folder)
    {
        try
        {
            return !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
