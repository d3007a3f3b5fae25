using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>
/// Reads <c>login/PASSWORD</c> out of a container, running or not, with no program of its image. Changes nothing: where the engine would
/// make a folder for the missing source of a bind mount, it is not asked.
/// </summary>
internal sealed class LivePasswordReader(DockerClient engine, TimeSpan patience)
{
    private const int LargestInBytes = 64 * 1024;
    private const string InComfyUI = "/login/PASSWORD";

    // Where images and guides put ComfyUI.
    private static readonly string[] UsualFolders = ["/workspace/ComfyUI", "/ComfyUI", "/app/ComfyUI", "/opt/ComfyUI", "/root/ComfyUI", "/app", "/comfyui"];

    /// <summary>Finds the file and reads it; where ComfyUI would take an older file at its next start, that one too.</summary>
    /// <param name="container">The container.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="service">The service that the container is of.</param>
    /// <param name="path">The one path to read; null to look for the file.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<IReadOnlyList<LivePassword>> ReadAsync(ContainerDetails container, GenAIStack stack, ServiceDefinition service, string? path, CancellationToken stop)
    {
        path ??= service.PasswordFile;
        List<(string Path, bool IsCertain)> places = path is not null ? [(path, true)] : [.. Places(container).DistinctBy(place => place.Path)];
        if (await ObstacleAsync(container, stack, places[0].Path, stop).ConfigureAwait(false) is { } obstacle)
            return [obstacle];

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(patience);
        try
        {
            return await LookAsync(container, places, deadline.Token).ConfigureAwait(false);
        }
        catch (DockerException error)
        {
            return [LivePassword.Unreadable(places[0].Path, error.Message, error.Remedy)];
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return [LivePassword.Unreadable(places[0].Path, string.Create(CultureInfo.InvariantCulture, $"The engine did not show the container's files within {patience.TotalSeconds:0.###} s."))];
        }
    }

    /// <summary>Where the file may stand, the likeliest place first.</summary>
    internal static IEnumerable<(string Path, bool IsCertain)> Places(ContainerDetails container)
    {
        var targets = container.Mounts.Select(mount => mount.Destination.TrimEnd('/')).ToList();
        foreach (var target in targets.Where(target => target.EndsWith(InComfyUI, StringComparison.Ordinal)))
            yield return (target, true);
        foreach (var target in targets.Where(target => target.EndsWith("/ComfyUI/login", StringComparison.OrdinalIgnoreCase)))
            yield return (target + "/PASSWORD", true);

        var workspace = container.Environment.LastOrDefault(variable => variable.Name == "COMFYUI_WORKSPACE_PATH")?.Reveal();
        var folders = targets.Where(target => target.EndsWith("/ComfyUI", StringComparison.OrdinalIgnoreCase))
            .Concat(new[] { workspace, container.WorkingDirectory }
                .OfType<string>()
                .Where(folder => folder is ['/', ..] && !folder.Any(char.IsControl))
                .Select(folder => folder.TrimEnd('/'))
                .Where(folder => folder.Length > 0)
                .SelectMany(folder => new[] { folder + "/ComfyUI", folder }))
            .Concat(UsualFolders);
        foreach (var folder in folders)
            yield return (folder + InComfyUI, false);
    }

    /// <summary>The mount that a path of a container lies in; null for the container's own file system.</summary>
    internal static ContainerMount? MountOf(ContainerDetails container, string path) => container.Mounts
        .Where(mount => path == mount.Destination || path.StartsWith(mount.Destination.TrimEnd('/') + "/", StringComparison.Ordinal))
        .MaxBy(mount => mount.Destination.Length);

    /// <summary>The path on this machine of a path in a container; null where it is in no bind mount of this machine.</summary>
    internal static string? HostPath(ContainerDetails container, string path) =>
        MountOf(container, path) is { Type: "bind" } mount && MountSources.HostPath(mount.Source, OperatingSystem.IsWindows()) is { } source && Path.IsPathFullyQualified(source) && !source.Contains('\0')
            ? path == mount.Destination ? source : Path.GetFullPath(path[(mount.Destination.TrimEnd('/').Length + 1)..], source)
            : null;

    /// <summary>Why the engine must not be asked, or need not be.</summary>
    private async Task<LivePassword?> ObstacleAsync(ContainerDetails container, GenAIStack stack, string path, CancellationToken stop)
    {
        var sources = await MountSources.LookAsync(container, stack, engine.Endpoint, stop).ConfigureAwait(false);
        if (sources.Gone.Contains(path))
        {
            return new(path)
            {
                Problem = TokenState.Missing,
                Evidence = "The file on the host that is mounted there does not exist. The container's files were not looked at: the engine would make a folder of that name.",
            };
        }

        if (sources.Gone.Count > 0)
            return Refused($"on the host there is nothing at the source of {string.Join(", ", sources.Gone)}, and the engine would make a folder there", "Put back what is mounted there, or take the mount out of the compose file.");
        if (sources.Directories.Contains(path))
            return new(path) { Problem = TokenState.IsDirectory, Evidence = "A folder of the host is mounted where the file belongs, as Docker makes one when it mounts a file that is missing." };

        // While it runs, what is mounted was there when it started.
        return sources.NotSeen.Count > 0 && container.State != ContainerState.Running
            ? Refused($"{sources.NotSeen[0].TrimEnd('.')}; where one is missing, the engine would make a folder there", "Start the container, or run this on the engine's own machine.")
            : null;

        LivePassword Refused(string why, string remedy) => LivePassword.Unreadable(path, $"The container's files were not looked at: {why}.", remedy);
    }

    private async Task<IReadOnlyList<LivePassword>> LookAsync(ContainerDetails container, List<(string Path, bool IsCertain)> places, CancellationToken stop)
    {
        foreach (var (path, isCertain) in places)
        {
            // The engine shows a memory file system as an empty folder.
            if (MountOf(container, path) is { Type: "tmpfs" })
            {
                if (isCertain)
                    return [LivePassword.Unreadable(path, "It is in a memory file system, which only the container itself can see.")];
                continue;
            }

            var found = await ReadAsync(container, path, stop).ConfigureAwait(false);
            if (found.Problem != TokenState.Missing)
                return await WithOlderAsync(container, found, stop).ConfigureAwait(false);
            if (isCertain || await engine.HeadArchiveAsync(container.Id, path[..^InComfyUI.Length] + "/main.py", stop).ConfigureAwait(false) is not null)
                return await WithOlderAsync(container, found, stop).ConfigureAwait(false);
        }

        return
        [
            LivePassword.Unreadable(
                places[0].Path,
                $"No ComfyUI was found in the container at {string.Join(", ", places.Select(place => place.Path[..^InComfyUI.Length]))}.",
                $"If it stands elsewhere, say where with 'passwordFile:' in {GenAIStack.FileName}."),
        ];
    }

    /// <summary>ComfyUI-Login once kept its file one folder higher, and moves it from there over the present one when it starts.</summary>
    private async Task<IReadOnlyList<LivePassword>> WithOlderAsync(ContainerDetails container, LivePassword password, CancellationToken stop)
    {
        if (!password.Path.EndsWith(InComfyUI, StringComparison.Ordinal))
            return [Told(password)];

        var older = await ReadAsync(container, password.Path[..^InComfyUI.Length] + "/PASSWORD", stop).ConfigureAwait(false);
        return older.Problem == TokenState.Missing ? [Told(password)] : [Told(password), older with { IsOlder = true }];

        LivePassword Told(LivePassword found) => found.Problem != TokenState.Missing ? found
            : container.StartedAt is null ? LivePassword.Unreadable(found.Path, "There is no such file, but the container has never been started, so that nothing could write it.")
            : found with { Problem = TokenState.OpenWithoutPassword, Evidence = $"There is no such file. {LivePassword.Hole}" };
    }

    private async Task<LivePassword> ReadAsync(ContainerDetails container, string path, CancellationToken stop)
    {
        switch (await engine.HeadArchiveAsync(container.Id, path, stop).ConfigureAwait(false))
        {
            case null:
                return Missing();
            case { IsDirectory: true }:
                return new(path) { Problem = TokenState.IsDirectory, Evidence = "A folder stands where the file belongs, as Docker makes one when it mounts a file that is missing." };
        }

        try
        {
            var file = await engine.ReadFileAsync(container.Id, path, LargestInBytes, stop).ConfigureAwait(false);
            return new(path) { Content = file.Content.ToArray(), ModifiedAt = file.ModifiedAt };
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            // A link that leads nowhere is no file to the server either. A container that is gone is another matter.
            await engine.InspectContainerAsync(container.Id, stop).ConfigureAwait(false);
            return Missing();
        }
        catch (DockerException error) when (error.Code is "DockerPathNotFile" or "DockerFileTooLarge")
        {
            return LivePassword.Unreadable(path, error.Message, error.Remedy);
        }

        LivePassword Missing() => new(path) { Problem = TokenState.Missing };
    }
}
