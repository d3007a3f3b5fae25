using System.Globalization;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Models;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation.Steps;

/// <summary>The model files.</summary>
internal sealed class ModelsStep : InstallStep
{
    // Which class of nodes lists the files of a kind, and in which input, as ComfyUI has them.
    private static readonly Dictionary<string, string> Loaders = new(StringComparer.Ordinal)
    {
        ["checkpoints"] = "CheckpointLoaderSimple.ckpt_name",
        ["diffusion_models"] = "UNETLoader.unet_name",
        ["unet"] = "UNETLoader.unet_name",
        ["text_encoders"] = "CLIPLoader.clip_name",
        ["clip"] = "CLIPLoader.clip_name",
        ["vae"] = "VAELoader.vae_name",
        ["loras"] = "LoraLoaderModelOnly.lora_name",
    };

    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Models;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Models;

    /// <summary>The files on this machine that the models of a service are.</summary>
    /// <param name="context">The installation.</param>
    internal static IEnumerable<string> TargetsOf(InstallContext context) => context.Service is { ModelsFolder: { } folder, Models: var models }
        ? models.Where(model => HubFile.AreNames(model.Path)).Select(model => Path.Combine(context.Stack.PathOf(folder), model.Path))
        : [];

    /// <inheritdoc/>
    public override async Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop)
    {
        var service = context.Service;
        if (service.Models.Count == 0)
            return new($"No models are named for '{service.Name}'.") { IsSkipped = true };
        if (service.ModelsFolder is null)
            throw new ComfyAuthException("ModelsFolderUnknown", $"Nobody says in which folder the models of '{service.Name}' lie.", $"Name it with 'modelsFolder:' in {GenAIStack.FileName}, and mount it into the container.");

        var folder = context.Stack.PathOf(service.ModelsFolder);
        var container = await ComfyContainer.FindAsync(context, stop).ConfigureAwait(false);
        if (container is not null && await IsInsideAsync(container, folder, stop).ConfigureAwait(false))
            return await CheckInsideAsync(context, container, stop).ConfigureAwait(false);
        List<string> evidence = [await MountAsync(container, folder, stop).ConfigureAwait(false)];
        List<ModelDownload> missing = [];
        List<(string Target, string Action)> actions = [];
        foreach (var model in service.Models)
        {
            var path = Path.Combine(folder, model.Path);
            var found = await ModelVerifier.VerifyAsync(path, model.SizeInBytes, model.Sha256, progress: new Reading(context, model), stop: stop).ConfigureAwait(false);
            if (found.State == ModelState.Whole)
            {
                evidence.Add($"{model.Path}: whole, {ByteSize.Format(found.SizeInBytes)}{(found.Sha256 is null ? "" : $", SHA-256 {found.Sha256}")}.");
                continue;
            }

            var download = ModelDownload.Of(model, folder);
            missing.Add(download);
            actions.Add((download.Target, $"Download {(model.SizeInBytes is { } size ? ByteSize.Format(size) + " " : "")}from {download.Source}{(found.State == ModelState.Wrong ? $", because what is there is not right: {found.Reason?.TrimEnd('.')}" : "")}"));
        }

        if (missing.Count > 0)
            return new($"{missing.Count} of {service.Models.Count} model files are missing or not whole.", evidence) { Changes = PlannedInstallChange.Together(actions, (at, token) => DownloadAsync(at, missing, token)) };

        await AskAsync(context, container, evidence, stop).ConfigureAwait(false);
        return new($"All {service.Models.Count} model files are there, whole.", evidence);
    }

    /// <summary>Where ComfyUI looks for models in a container.</summary>
    internal static async Task<string> FolderInAsync(ComfyContainer container, CancellationToken stop) => $"{await container.FolderAsync(stop).ConfigureAwait(false)}/models";

    /// <summary>Whether the models lie in the container's own file system, or in a volume.</summary>
    private static async Task<bool> IsInsideAsync(ComfyContainer container, string folder, CancellationToken stop) =>
        LivePasswordReader.MountOf(container.Details, await FolderInAsync(container, stop).ConfigureAwait(false)) is not { Type: "bind" } && MountOfFolder(container, folder) is null;

    /// <summary>What the container has the models folder in; with extra_model_paths.yaml ComfyUI reads models elsewhere too.</summary>
    private static ContainerMount? MountOfFolder(ComfyContainer container, string folder) =>
        container.Details.Mounts.FirstOrDefault(mount => LivePasswordReader.HostPath(container.Details, mount.Destination) is { } source && RealPath.Inside(Real(source), Real(folder)) is not null);

    /// <summary>Looks at models that no folder of this machine holds: there a file is told by its size, because to hash it all of it would have to come through the engine.</summary>
    private static async Task<StepPlan> CheckInsideAsync(InstallContext context, ComfyContainer container, CancellationToken stop)
    {
        var inside = await FolderInAsync(container, stop).ConfigureAwait(false);
        var place = LivePasswordReader.MountOf(container.Details, inside) is { } mount ? $"in a {mount.Type}" : "in the container's own file system, and go when it is made anew";
        List<string> evidence = [$"No folder of this machine is mounted at {inside}: the models lie {place}."];
        List<ModelFile> missing = [];
        foreach (var model in context.Service.Models)
        {
            var found = await container.HeadAsync($"{inside}/{model.Path}", stop).ConfigureAwait(false);
            var isOther = found is not null && model.SizeInBytes is { } size && size != found.SizeInBytes;

            // What this run was sending when it was killed is cut; anything else is somebody's, and could not be set aside in there.
            if (isOther && !context.Journal.Changes.Any(change => change.Run == context.Journal.Run && change.Kind == InstallChangeKind.ContainerModel && change.Target == $"{container.Details.Name}:{inside}/{model.Path}"))
            {
                throw new ComfyAuthException(
                    "ModelFileInvalid",
                    string.Create(CultureInfo.InvariantCulture, $"{inside}/{model.Path} in the container '{container.Details.Name}' has {found!.SizeInBytes:N0} bytes, and should have {model.SizeInBytes:N0}. It was left as it is."),
                    "Move it away in the container, then run again; or correct the size that is expected.");
            }

            if (found is null || isOther)
                missing.Add(model);
            else
                evidence.Add($"{model.Path}: {ByteSize.Format(found.SizeInBytes)}, told by its size.");
        }

        if (missing.Count > 0)
        {
            return new($"{missing.Count} of {context.Service.Models.Count} model files are missing or not whole.", evidence)
            {
                Changes = PlannedInstallChange.Together(
                    [.. missing.Select(model => ($"{container.Details.Name}:{inside}/{model.Path}", $"Download from {model.Repository}, and put it into the container"))],
                    (at, token) => PutInsideAsync(at, container, inside, missing, token)),
            };
        }

        await AskAsync(context, container, evidence, stop).ConfigureAwait(false);
        return new($"All {context.Service.Models.Count} model files are in the container.", evidence);
    }

    private static async Task PutInsideAsync(InstallContext context, ComfyContainer container, string inside, IReadOnlyList<ModelFile> missing, CancellationToken stop)
    {
        // What could not be sent stays here for the next run.
        var folder = Path.Combine(FileJournal.StateFolder(context.Root), "models");
        var downloads = missing.Select(model => ModelDownload.Of(model, folder)).ToList();
        using var downloader = Downloader(context);
        var models = new ContainerModels(context.Engine, downloader);
        var loading = new Loading(context.Tell, downloads);
        foreach (var (model, download) in missing.Zip(downloads))
        {
            context.Journal.Note(InstallChangeKind.ContainerModel, $"{container.Details.Name}:{inside}/{model.Path}");
            var result = await models.PutAsync(container.Details.Id, inside, model.Path, download, loading, stop).ConfigureAwait(false);
            if (result.Note is { } note)
                context.Tell($"{result.File}: {note}", 0, null);
        }

        FileErrors.On(folder, () => Directory.Delete(folder, recursive: true));
    }

    /// <summary>Sees that the folder is the one that the container reads: 30 GB in another one help nobody.</summary>
    private static async Task<string> MountAsync(ComfyContainer? container, string folder, CancellationToken stop)
    {
        if (container is null)
            return "There is no container yet, so that it could not be seen whether it reads the models folder.";

        var inside = await FolderInAsync(container, stop).ConfigureAwait(false);
        var host = LivePasswordReader.HostPath(container.Details, inside);
        if (host is not null && IsSame(host, folder))
            return $"The container reads {folder} as {inside}.";

        if (MountOfFolder(container, folder) is { } elsewhere)
            return $"The container has {folder} in its {elsewhere.Destination}.";
        throw new ComfyAuthException(
            "ModelsFolderNotMounted",
            $"The container '{container.Details.Name}' does not read the models folder {folder}: its {inside} is {host ?? "a folder of another machine"}.",
            $"Mount the folder there in the compose file and make the container anew, or name the folder that it reads with 'modelsFolder:' in {GenAIStack.FileName}.");
    }

    private static bool IsSame(string one, string other) => RealPath.Comparer.Equals(Path.TrimEndingDirectorySeparator(Real(one)), Path.TrimEndingDirectorySeparator(Real(other)));

    private static string Real(string path)
    {
        try
        {
            return RealPath.Of(path);
        }
        catch (ComfyAuthException)
        {
            return path;
        }
    }

    private static async Task DownloadAsync(InstallContext context, List<ModelDownload> downloads, CancellationToken stop)
    {
        foreach (var download in downloads)
        {
            context.NoteFolders(Path.GetDirectoryName(download.Target)!);
            context.Journal.Note(InstallChangeKind.Model, download.Target);
        }

        using var downloader = Downloader(context);
        List<(string File, ComfyAuthException Error)> failed = [];
        await foreach (var result in downloader.DownloadAsync(downloads, new Loading(context.Tell, downloads), stop).ConfigureAwait(false))
        {
            if (result.Error is { } error)
                failed.Add((result.File, error));
            else if (result.Note is { } note)
                context.Tell($"{result.File}: {note}", 0, null);
        }

        if (failed is [var (file, first), .. var others])
        {
            throw new ComfyAuthException(
                first.Code,
                $"{failed.Count} of {downloads.Count} model files could not be downloaded. {file}: {first.Message}{string.Concat(others.Select(other => $" {other.File}: {other.Error.Message}"))}",
                first.Remedy,
                first);
        }
    }

    private static ModelDownloader Downloader(InstallContext context)
    {
        var options = new ModelDownloadOptions
        {
            Endpoint = context.HubEndpoint,
            Token = HubToken.Find(context.Options.HuggingFaceToken, context.Root)?.Secret,
            BytesPerSecond = context.Options.BytesPerSecond,
        };
        return new(context.Redactor, options, context.Logger);
    }

    /// <summary>Asks ComfyUI for the files that it can load. Where it cannot be asked, that is told: a later step proves that it answers.</summary>
    private static async Task AskAsync(InstallContext context, ComfyContainer? container, List<string> evidence, CancellationToken stop)
    {
        if (container?.Client() is not { } client)
        {
            evidence.Add("ComfyUI was not asked whether it lists them: there is no container that answers, or its token is not known.");
            return;
        }

        using (client)
        {
            try
            {
                List<string> unlisted = [];
                foreach (var models in context.Service.Models.GroupBy(model => model.Path[..model.Path.IndexOf('/', StringComparison.Ordinal)]))
                {
                    var loader = Loaders.GetValueOrDefault(models.Key)?.Split('.');
                    if (loader is null || await client.ObjectInfoAsync(loader[0], stop).ConfigureAwait(false) is not { } known || known.Inputs.GetValueOrDefault(loader[1])?.Choices is not { } choices)
                    {
                        evidence.Add($"Which {models.Key} ComfyUI lists could not be told.");
                        continue;
                    }

                    var listed = choices.Select(choice => choice.Replace('\\', '/')).ToHashSet(StringComparer.Ordinal);
                    unlisted.AddRange(models.Where(model => !listed.Contains(model.Path[(models.Key.Length + 1)..])).Select(model => model.Path));
                    if (models.All(model => listed.Contains(model.Path[(models.Key.Length + 1)..])))
                        evidence.Add($"ComfyUI lists {string.Join(", ", models.Select(model => model.Path))}.");
                }

                if (unlisted.Count > 0)
                {
                    throw new ComfyAuthException(
                        "ModelsNotListed",
                        $"ComfyUI at {context.Service.Url} does not list {string.Join(", ", unlisted)}, although the files are there.",
                        $"See that {context.Stack.PathOf(context.Service.ModelsFolder!)} is mounted as ComfyUI's models folder, or named in its extra_model_paths.yaml, and that its user may read the files.");
                }
            }
            catch (ComfyAuthException error) when (error.Code.StartsWith("Service", StringComparison.Ordinal))
            {
                evidence.Add($"ComfyUI could not be asked whether it lists them: {error.Message}");
            }
        }
    }

    private sealed class Reading(InstallContext context, ModelFile model) : IProgress<long>
    {
        public void Report(long value) => context.Tell($"Reading {model.Path}: {ByteSize.Format(value)}{(model.SizeInBytes is { } size ? $" of {ByteSize.Format(size)}" : "")}", value, model.SizeInBytes);
    }

    /// <summary>Tells of all files in one line, with bytes and speed; and how long they take together.</summary>
    internal sealed class Loading(StepTeller tell, IReadOnlyList<ModelDownload> downloads) : IProgress<ModelDownloadProgress>
    {
        private readonly Dictionary<ModelDownload, ModelDownloadProgress> _latest = [];

        public void Report(ModelDownloadProgress value)
        {
            string line;
            long done;
            long? total;
            double speed;
            lock (_latest)
            {
                _latest[value.Download] = value;
                done = _latest.Values.Sum(item => item.BytesDone);
                total = downloads.Sum(download => _latest.GetValueOrDefault(download)?.BytesTotal ?? download.SizeInBytes);
                if (downloads.Any(download => (_latest.GetValueOrDefault(download)?.BytesTotal ?? download.SizeInBytes) is null))
                    total = null;
                speed = _latest.Values.Where(item => item.Phase == ModelDownloadPhase.Downloading).Sum(item => item.BytesPerSecond);
                var parts = _latest.Values.Where(item => item.Phase is not (ModelDownloadPhase.Waiting or ModelDownloadPhase.Done)).Select(Describe).ToList();
                line = string.Join("; ", parts);
            }

            if (line.Length > 0)
                tell(line, done, total, speed >= 1 && total > done ? TimeSpan.FromSeconds((total.Value - done) / speed) : null);
        }

        private static string Describe(ModelDownloadProgress item) => item.Phase == ModelDownloadPhase.Downloading
            ? string.Create(CultureInfo.InvariantCulture, $"{item.Download.Name}: {ByteSize.Format(item.BytesDone)}{(item.BytesTotal is { } total ? $" of {ByteSize.Format(total)}" : "")}, {ByteSize.Format((long)item.BytesPerSecond)}/s")
            : $"{item.Download.Name}: {item.Phase}";
    }
}
