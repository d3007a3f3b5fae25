using System.Runtime.CompilerServices;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Models;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation;

/// <summary>
/// Takes back what the journal of an installation says, the last change first. It undoes only what is as the installation left it: what
/// somebody has changed or filled since is kept and named. What is gone already counts as undone, because a run may have been killed
/// between the note in the journal and the change, or while it was taken back.
/// </summary>
/// <param name="context">The installation.</param>
/// <param name="isRemoval">Whether an installation that works is removed; then the data of the service stay.</param>
/// <param name="removeData">Whether models and outputs go as well.</param>
/// <param name="isPlan">Whether it is only told what would be done, because everything is declined.</param>
internal sealed class InstallUndo(InstallContext context, bool isRemoval, bool removeData, bool isPlan = false)
{
    /// <summary>Takes changes back.</summary>
    /// <param name="changes">The changes, in the order in which they were made.</param>
    /// <param name="approve">Asked before each; null approves all.</param>
    /// <param name="stop">Ends the work; the journal knows what is left.</param>
    /// <returns>What became of each, as it is done; an error of one spares the others.</returns>
    public async IAsyncEnumerable<UndoneChange> RunAsync(IReadOnlyList<InstallChange> changes, Func<PlannedChange, Task<bool>>? approve, [EnumeratorCancellation] CancellationToken stop)
    {
        UndoOutcome? left = null;
        foreach (var change in changes.Reverse().OrderBy(change => Turn(change.Kind)))
        {
            stop.ThrowIfCancellationRequested();
            var undone = new UndoneChange { Stack = context.Root, Kind = Word(change.Kind), Target = change.Target, Outcome = UndoOutcome.Undone };
            UndoneChange result;
            try
            {
                undone = undone with { Target = Shown(change) };
                if (left is { } outcome && change.Kind == InstallChangeKind.Files)
                {
                    // Without its credential it would let everybody in when it starts again.
                    result = undone with { Outcome = outcome, Message = "the container is still there, and may read them" };
                }
                else if (IsKeptData(change))
                {
                    result = undone with { Outcome = UndoOutcome.Kept, Message = "it holds data, which stay unless their removal is asked for" };
                }
                else if (approve is not null && !await approve(new PlannedInstallChange(undone.Target, ActionOf(change), (_, _) => Task.CompletedTask)).ConfigureAwait(false))
                {
                    result = undone with { Outcome = UndoOutcome.Declined };
                }
                else
                {
                    var kept = await UndoAsync(change, stop).ConfigureAwait(false);

                    // What a removal leaves can be removed later, with the data. Of two runs that did the same, it takes back both.
                    if (!isRemoval)
                        context.Journal.Forget(change);
                    else if (kept is null)
                        context.Journal.Changes.Where(other => (other.Kind, other.Target) == (change.Kind, change.Target)).ToList().ForEach(context.Journal.Forget);
                    result = kept is null ? undone : undone with { Outcome = UndoOutcome.Kept, Message = context.Redactor.Redact(kept) };
                }
            }
            catch (Exception error) when (error is ComfyAuthException || FileErrors.IsFileError(error))
            {
                result = undone with { Outcome = UndoOutcome.Failed, Message = context.Redactor.Redact(error.Message), Remedy = (error as ComfyAuthException)?.Remedy ?? "" };
            }

            if (change.Kind is InstallChangeKind.Container or InstallChangeKind.Started && !isPlan && (result.Outcome == UndoOutcome.Failed || (isRemoval && result.Outcome is UndoOutcome.Kept or UndoOutcome.Declined)))
                left = result.Outcome;
            yield return result;
        }
    }

    /// <summary>Whether a removal leaves it because it holds data.</summary>
    private bool IsKeptData(InstallChange change) => isRemoval && !removeData && change.Kind switch
    {
        InstallChangeKind.Volume or InstallChangeKind.ContainerModel => true,
        InstallChangeKind.Output => File.Exists(PathOf(change)),
        InstallChangeKind.Model => ModelPlaces.Of(PathOf(change)) is var places && (File.Exists(places.File) || File.Exists(places.Part)),
        _ => false,
    };

    private string ActionOf(InstallChange change) => change.Kind switch
    {
        InstallChangeKind.Folder => "Remove the folder if it is empty",
        InstallChangeKind.DataFolder when isRemoval && !(removeData && IsData(PathOf(change))) => "Remove the folder if it is empty",
        _ => $"Remove the {Word(change.Kind)}",
    };

    /// <summary>Takes one change back.</summary>
    /// <returns>Why something of it was left; null where nothing was.</returns>
    private async Task<string?> UndoAsync(InstallChange change, CancellationToken stop)
    {
        switch (change.Kind)
        {
            case InstallChangeKind.Files:
                return !FileRecord.Exists(context.Root, change.Target, FileRecord.Installs) ? null : await PutBackAsync(change, FileRecord.Read(context.Root, change.Target, FileRecord.Installs), stop).ConfigureAwait(false);
            case InstallChangeKind.Folder:
                return RemoveFolder(change, withContents: false);
            case InstallChangeKind.DataFolder:
                // The journal may name any folder of the stack; which of them are for data, the deployment says. And between a run and the
                // one that goes on with it somebody may have used the service: what is in there then is not ours alone.
                var withContents = isRemoval ? removeData && IsData(PathOf(change)) : context.Journal.IsNew(change);
                var left = RemoveFolder(change, withContents);
                return left is not null && removeData && !withContents ? $"{left}, and it is none of the folders that were laid out for data and are mounted into the container" : left;
            case InstallChangeKind.Output:
                if (OutputOf(context, change) is not { } output)
                    return "it is none of the test pictures; it was left as it is";
                File.Delete(output);
                return null;
            case InstallChangeKind.Container:
                return await RemoveContainerAsync(change.Target, stop).ConfigureAwait(false);
            case InstallChangeKind.Started:
                if (!isRemoval && change.Target == context.Service.Container && await FindAsync(stop).ConfigureAwait(false) is { } started)
                    await UnlessGone(() => context.Engine.StopAsync(started.Id, stop: stop)).ConfigureAwait(false);
                return null;
            case InstallChangeKind.Restarted:
                return isRemoval || change.Target != context.Service.Container ? null : await RestartAsync(stop).ConfigureAwait(false);
            case InstallChangeKind.Image:
                return await RemoveImageAsync(change.Target, stop).ConfigureAwait(false);
            case InstallChangeKind.Network:
                return await RemoveAsync(change, context.Engine.ListNetworksAsync, context.Engine.RemoveNetworkAsync, stop).ConfigureAwait(false);
            case InstallChangeKind.Volume:
                return await RemoveAsync(change, context.Engine.ListVolumesAsync, context.Engine.RemoveVolumeAsync, stop).ConfigureAwait(false);
            case InstallChangeKind.Node:
                return await NodeAsync(change.Target, stop).ConfigureAwait(false);
            case InstallChangeKind.Model:
                return await ModelAsync(PathOf(change), stop).ConfigureAwait(false);
            case InstallChangeKind.ContainerModel:
                return await ContainerModelAsync(change.Target, stop).ConfigureAwait(false);
            default:
                throw new ArgumentOutOfRangeException(nameof(change), change.Kind, null);
        }
    }

    private async Task<string?> PutBackAsync(InstallChange change, FileRecord record, CancellationToken stop)
    {
        List<string> changed = [];
        List<string> foreign = [];
        var transaction = await FileTransaction.BeginAsync(context.Root, new() { Logger = context.Logger }, stop).ConfigureAwait(false);
        await using var scope = transaction.ConfigureAwait(false);
        foreach (var file in record.Files)
        {
            var path = Path.Combine(context.Root, file.Path);
            if (!context.Journal.IsNew(change) && !IsOfStack(path))
            {
                foreign.Add(file.Path);
                continue;
            }

            var now = record.ContentOf(file);
            if (now is not null && !record.IsAsLeft(file, now))
            {
                changed.Add(file.Path);
                continue;
            }

            transaction.Expect(file.Path, now);
            if (record.OldContent(file) is { } old)
                transaction.Write(file.Path, old, FileProtection.Keep);
            else
                transaction.Delete(file.Path);
        }

        await transaction.CommitAsync(stop).ConfigureAwait(false);
        string?[] kept =
        [
            changed.Count == 0 ? null : $"somebody has changed {string.Join(", ", changed)} since; it was left as it is",
            foreign.Count == 0 ? null : $"{string.Join(", ", foreign)} leads out of the stack, or to what version control keeps; it was left as it is",
        ];
        return kept.Any(reason => reason is not null) ? string.Join("; ", kept.Where(reason => reason is not null)) : null;
    }

    /// <summary>Whether a file that a record names is the stack's own: the record may have come with the stack, and a link in it leads anywhere.</summary>
    private bool IsOfStack(string path) =>
        RealPath.Inside(RealPath.Of(context.Root), RealPath.Of(path)) is { } inside && !inside.Split('/', '\\').Contains(".git", StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a folder was laid out for the service to write into, and the compose file mounts it for that.</summary>
    private bool IsData(string path)
    {
        if (!DeploymentTemplates.DataFolders.Any(folder => RealPath.Comparer.Equals(context.Stack.PathOf(folder), path)))
            return false;
        try
        {
            return Compose().Service?.Mounts.Any(mount => mount is { Kind: ComposeMountKind.Bind, IsReadOnly: false, Source: { } source } && RealPath.Comparer.Equals(source, path)) == true;
        }
        catch (ComfyAuthException)
        {
            // A compose file that cannot be read says nothing.
            return false;
        }
    }

    private string? RemoveFolder(InstallChange change, bool withContents)
    {
        var path = PathOf(change);
        if (new DirectoryInfo(path) is { Exists: false, LinkTarget: null })
            return null;
        var real = RealPath.Of(path);
        if (!RealPath.Comparer.Equals(real, Path.GetFullPath(change.Target, RealPath.Of(context.Root))))
            return "it is, or lies behind, a link, which was not there when it was made";
        if (!withContents && Directory.EnumerateFileSystemEntries(path).Any())
            return "it is not empty";
        if (withContents && HoldsMount(real))
            return "something is mounted there";
        Directory.Delete(path, withContents);
        return null;
    }

    /// <summary>Whether a folder is a mount point or has one in it, whose content is not the folder's. What mounts folders on Windows is a link there, which nobody follows.</summary>
    private static bool HoldsMount(string folder) => !OperatingSystem.IsWindows() && DriveInfo.GetDrives().Any(mount => RealPath.Inside(folder, mount.Name) is not null);

    /// <summary>Removes the container, where it is the one that Compose made from the files of this stack.</summary>
    private async Task<string?> RemoveContainerAsync(string name, CancellationToken stop)
    {
        var all = await context.Engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        if (all.FirstOrDefault(container => container.Name == name) is not { } found)
            return null;
        if (name != context.Service.Container || ContainerOrigin.FolderOf(found.Labels) is not { Length: > 0 } folder || !IsInside(folder))
            return "it was not made from the files of this stack";
        await UnlessGone(() => context.Engine.StopAsync(found.Id, stop: stop)).ConfigureAwait(false);
        await UnlessGone(() => context.Engine.RemoveContainerAsync(found.Id, force: true, stop)).ConfigureAwait(false);
        return null;
    }

    /// <summary>Removes the image, where it is the one of the service.</summary>
    private async Task<string?> RemoveImageAsync(string name, CancellationToken stop) =>
        Compose() is ({ } compose, var file) && Deployment.ImagesOf(compose, file.ProjectName).Contains(name)
            ? await UnlessUsed(() => context.Engine.RemoveImageAsync(name, stop)).ConfigureAwait(false)
            : "it is not the image of the service";

    /// <summary>What Compose makes of the service; where its file is gone already, of the one that would be laid out.</summary>
    private (ComposeService? Service, ComposeFile File) Compose() => Deployment.ComposeOf(context.Stack, context.Service, Deployment.PlanOf(context)?.Missing ?? []);

    private bool IsInside(string folder) => RealPath.Inside(RealPath.Of(context.Root), RealPath.Of(folder)) is not null;

    /// <summary>Removes a network or a volume, where Compose made it for the project of this stack and no container of that project is left.</summary>
    private async Task<string?> RemoveAsync(
        InstallChange change, Func<IReadOnlyCollection<string>?, CancellationToken, Task<IReadOnlyList<string>>> list, Func<string, CancellationToken, Task> remove, CancellationToken stop)
    {
        if (!(await list(null, stop).ConfigureAwait(false)).Contains(change.Target))
            return null;
        string[] project = [$"{ContainerOrigin.ProjectLabel}={Compose().File.ProjectName}"];
        if (!(await list(project, stop).ConfigureAwait(false)).Contains(change.Target))
            return "it was not made for this stack";

        // Stacks in several folders may be of one project, and the engine gives away a network that only a stopped container needs. What this run made, nobody had before.
        if (!context.Journal.IsNew(change) && await context.Engine.ListContainersAsync(labels: project, stop: stop).ConfigureAwait(false) is [var other, ..])
            return $"the container '{other.Name}' of the same compose project may need it";
        return await UnlessUsed(() => remove(change.Target, stop)).ConfigureAwait(false);
    }

    private Task<ContainerDetails?> FindAsync(CancellationToken stop) => new ContainerLifecycle(context.Engine, context.Redactor).FindAsync(context.Stack, context.Service, stop);

    /// <summary>Starts the container anew with the files as they are, and waits until it answers.</summary>
    private async Task<string?> RestartAsync(CancellationToken stop)
    {
        if (await FindAsync(stop).ConfigureAwait(false) is null)
            return null;
        var lifecycle = new ContainerLifecycle(context.Engine, context.Redactor, context.Logger);
        var plan = await lifecycle.PlanRestartAsync(context.Stack, context.Service, null, stop).ConfigureAwait(false);

        // A restart keeps the environment. In what else it differs from its compose file, it did before.
        if (plan.Drift.Any(drift => drift.Kind == ContainerDriftKind.Variable))
            await plan.ApplyAsync(stop: stop).ConfigureAwait(false);
        else
            await context.Engine.RestartAsync(plan.Container!.Id, stop: stop).ConfigureAwait(false);

        // Whether it answered before, nobody knows by now; what was to be put back is put back.
        var wait = await ComfyContainer.WaitAsync(context, context.Stack, context.Service, context.Options.Timeout, stop).ConfigureAwait(false);
        return wait.Outcome == ContainerWaitOutcome.Reached ? null : $"it was started with the files as they are now, and does not answer: {wait.Message} {wait.Remedy}".TrimEnd();
    }

    private static async Task<string?> UnlessUsed(Func<Task> remove)
    {
        try
        {
            await UnlessGone(remove).ConfigureAwait(false);
            return null;
        }
        catch (DockerException error) when (error.Code == "DockerConflict")
        {
            return "another container uses it";
        }
    }

    /// <summary>Removes a custom node that an installation put into the container, or was about to.</summary>
    private async Task<string?> NodeAsync(string target, CancellationToken stop)
    {
        var container = await ComfyContainer.FindAsync(context, stop).ConfigureAwait(false);
        if (container is null)
            return null;

        var nodes = $"{container.Details.Name}:{await container.FolderAsync(stop).ConfigureAwait(false)}/custom_nodes/";
        if (!target.StartsWith(nodes, StringComparison.Ordinal) || !CustomNode.IsName(target[nodes.Length..]))
            return "it is no custom node of the container of this service; it was left as it is";
        var path = target[(container.Details.Name.Length + 1)..];
        var clone = path + LoginStep.Unfinished;
        var isThere = await container.HeadAsync(path, stop).ConfigureAwait(false) is not null;
        var isOurs = isThere && await container.HeadAsync(path + LoginStep.Marker, stop).ConfigureAwait(false) is not null;
        List<string> folders = isOurs ? [path] : [];
        if (await container.HeadAsync(clone, stop).ConfigureAwait(false) is not null)
            folders.Add(clone);
        if (folders.Count > 0 && container.IsRunning)
        {
            var result = await container.RunPythonAsync(["-c", LoginStep.Remove, .. folders], "0", stop).ConfigureAwait(false);
            if (result.ExitCode != 0)
                throw new ComfyAuthException("CustomNodeFailed", $"{path} could not be removed in the container '{container.Details.Name}': {container.Said(result)}", "Remove it there.");
        }
        else
        {
            folders.ForEach(folder => RemoveStopped(container, folder));
        }

        return isThere && !isOurs ? "it was not made by an installation; it was left as it is" : null;
    }

    /// <summary>
    /// Removes a folder, or a file, of a container in which no program can be run: on this machine, where it is mounted from there. Where
    /// nothing is mounted it goes with the container, if an installation made that.
    /// </summary>
    /// <exception cref="ComfyAuthException"><c>ContainerNotRunning</c>: it stays.</exception>
    private void RemoveStopped(ComfyContainer container, string path)
    {
        var (name, mount) = (container.Details.Name, LivePasswordReader.MountOf(container.Details, path));
        if (mount is null && context.Journal.Changes.Any(change => change.Kind == InstallChangeKind.Container && change.Target == name && (isRemoval || change.Run == context.Journal.Run)))
            return;

        if (mount is { Type: "bind" }
            && MountSources.IsHere(context.Engine.Endpoint)
            && LivePasswordReader.HostPath(container.Details, mount.Destination) is { } source
            && LivePasswordReader.HostPath(container.Details, path) is { } host
            && Directory.Exists(host))
        {
            // A link would lead elsewhere here than in the container.
            var (folder, real) = (RealPath.Of(source), RealPath.Of(host));
            if (RealPath.Comparer.Equals(real, Path.Combine(folder, Path.GetRelativePath(source, host))) && !HoldsMount(real))
            {
                FileErrors.On(host, () => Directory.Delete(real, recursive: true));
                return;
            }
        }

        var place = mount is null ? "" : $", in {(mount.Name.Length > 0 ? $"the volume {mount.Name}" : mount.Source)}";
        throw new ComfyAuthException("ContainerNotRunning", $"{path} stays in the container '{name}'{place}: the container does not run, so that nothing can be removed in it.", $"Start it ('docker start {name}'), then start this again; or remove {path} by hand.");
    }

    /// <summary>Takes a model back: it becomes an unfinished download, which costs nothing to finish; or it goes with all that lies beside it.</summary>
    private async Task<string?> ModelAsync(string path, CancellationToken stop)
    {
        if (!ModelsStep.TargetsOf(context).Contains(path, RealPath.Comparer))
            return "it is no model of this service; it was left as it is";
        var places = ModelPlaces.Of(path);
        if (File.Exists(places.File) && !await IsDownloadedAsync(path, places, stop).ConfigureAwait(false))
            return "it is not the file that was downloaded; it was left as it is";
        if (!isRemoval)
        {
            await ModelDownloader.TakeBackAsync(path, stop).ConfigureAwait(false);
            return File.Exists(places.Part) ? "what was downloaded stays as an unfinished download, which the next run finishes without loading it again" : null;
        }

        FileErrors.On(path, places.Remove);
        return null;
    }

    /// <summary>Whether a model is the one that was to be downloaded, and was: what was there before stays until the right one is there.</summary>
    private async Task<bool> IsDownloadedAsync(string path, ModelPlaces places, CancellationToken stop)
    {
        var model = context.Service.Models.First(model => RealPath.Comparer.Equals(Path.Combine(context.Stack.PathOf(context.Service.ModelsFolder!), model.Path), path));
        return ModelVerifier.Recall(places)?.Source is not null && (await ModelVerifier.VerifyAsync(path, model.SizeInBytes, model.Sha256, stop: stop).ConfigureAwait(false)).State == ModelState.Whole;
    }

    /// <summary>Removes a model from the container's own file system, or from a volume that is mounted there.</summary>
    private async Task<string?> ContainerModelAsync(string target, CancellationToken stop)
    {
        if (await ComfyContainer.FindAsync(context, stop).ConfigureAwait(false) is not { } container)
            return null;
        var models = await ModelsStep.FolderInAsync(container, stop).ConfigureAwait(false);
        var path = context.Service.Models.Select(model => $"{models}/{model.Path}").FirstOrDefault(path => target == $"{container.Details.Name}:{path}");
        if (path is null)
            return "it is no model of this service; it was left as it is";
        if (await container.HeadAsync(path, stop).ConfigureAwait(false) is null)
            return null;

        if (!container.IsRunning)
        {
            RemoveStopped(container, path);
            return null;
        }

        var result = await container.RunPythonAsync(["-c", "import os, sys; os.remove(sys.argv[1])", path], "0", stop).ConfigureAwait(false);
        return result.ExitCode == 0 ? null : throw new ComfyAuthException("FileOperationFailed", $"{path} could not be removed in the container '{container.Details.Name}': {container.Said(result)}", "Remove it there.");
    }

    private static async Task UnlessGone(Func<Task> remove)
    {
        try
        {
            await remove().ConfigureAwait(false);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            // What is to be taken away is away.
        }
    }

    /// <summary>The path of a test picture; null where the change is of another file, as whoever writes the journal may name any.</summary>
    internal static string? OutputOf(InstallContext context, InstallChange change)
    {
        var path = Path.GetFullPath(change.Target, context.Root);
        return Path.GetFileName(path).StartsWith(TestImageStep.Prefix, StringComparison.Ordinal) && RealPath.Inside(RealPath.Of(context.Root), RealPath.Of(path)) is not null ? path : null;
    }

    /// <summary>A folder goes when the files in it are gone, and a container is restarted so that it reads what was put back.</summary>
    private static int Turn(InstallChangeKind kind) => kind switch
    {
        InstallChangeKind.Files => 1,
        InstallChangeKind.Folder or InstallChangeKind.DataFolder => 2,
        InstallChangeKind.Restarted => 3,
        _ => 0,
    };

    private string PathOf(InstallChange change) => Path.GetFullPath(change.Target, context.Root);

    private string Shown(InstallChange change) => change.Kind switch
    {
        InstallChangeKind.Files when FileRecord.Exists(context.Root, change.Target, FileRecord.Installs) => string.Join(", ", FileRecord.Read(context.Root, change.Target, FileRecord.Installs).Files.Select(file => file.Path)),
        _ => change.Target,
    };

    private static string Word(InstallChangeKind kind) => kind switch
    {
        InstallChangeKind.Files => "files",
        InstallChangeKind.Folder or InstallChangeKind.DataFolder => "folder",
        InstallChangeKind.Output => "output",
        InstallChangeKind.Image => "image",
        InstallChangeKind.Network => "network",
        InstallChangeKind.Volume => "volume",
        InstallChangeKind.Node => "custom node",
        InstallChangeKind.Model or InstallChangeKind.ContainerModel => "model",
        _ => "container",
    };
}
