using System.Globalization;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation.Steps;

/// <summary>The files of the deployment, the image, and the container that answers.</summary>
internal sealed class ContainerStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Container;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Docker;

    /// <inheritdoc/>
    public override async Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop)
    {
        var deployment = await Deployment.LookAsync(context, stop).ConfigureAwait(false);
        var (service, container) = (deployment.Service, deployment.Container);
        List<PlannedInstallChange> changes = [];
        List<string> evidence = [.. (deployment.Plan?.Kept ?? []).Select(file => $"{file} is not the one that would be laid out; it is used as it is")];

        if (deployment.Missing is { Count: > 0 } missing)
        {
            changes.Add(new(
                context.Root,
                string.Create(CultureInfo.InvariantCulture, $"Lay out {missing.Count} files: {string.Join("; ", missing.GroupBy(file => Path.GetDirectoryName(file.Path), file => Path.GetFileName(file.Path)).Select(folder => $"in '{folder.Key}' {string.Join(", ", folder)}"))}"),
                (_, cancel) => LayOutAsync(context, deployment, cancel)));
        }

        // What runs is not touched here: a change of its credential is proven, or taken back, when authentication is set up.
        if (!deployment.IsRunning && service.Auth == AuthKind.ComfyUILogin && Credential(context, deployment, stop) is { } credential)
            changes.Add(credential);

        if (container is null)
        {
            changes.AddRange(MissingFolders(context, deployment));
            if (await ImageAsync(context, deployment, evidence, stop).ConfigureAwait(false) is { } image)
                changes.Add(image);
            changes.Add(new(service.Container, "Create the container and start it", (_, cancel) => CreateAsync(context, deployment, cancel)));
        }
        else
        {
            evidence.Add($"container {container.Name}: {container.State}, of the image {container.Image}");
            await TellDriftAsync(context, deployment, evidence, stop).ConfigureAwait(false);
            if (!deployment.IsRunning)
                changes.Add(new(container.Name, container.State == ContainerState.Paused ? "Unpause the container" : "Start the container", StartAsync));
            else if (await ComfyContainer.WaitAsync(context, deployment.Stack, service, TimeSpan.Zero, stop).ConfigureAwait(false) is { Outcome: not ContainerWaitOutcome.Reached } seen)
                changes.Add(new(container.Name, $"Wait until it answers at {service.Url}: {seen.Diagnosis.Message}", ComfyContainer.WaitUntilLiveAsync));
        }

        var message = changes.Count > 0 ? $"The container '{service.Container}' is to be brought up." : $"The container '{service.Container}' runs and answers at {service.Url}.";
        return new(message, evidence) { Changes = changes };
    }

    private static async Task LayOutAsync(InstallContext context, Deployment deployment, CancellationToken stop)
    {
        context.Tell("Laying out the files", 0, null);
        foreach (var file in deployment.Missing)
            NoteFolders(context, deployment, Path.GetDirectoryName(deployment.Stack.PathOf(file.Path))!);

        var transaction = await FileTransaction.BeginAsync(context.Root, new() { Logger = context.Logger, Keep = context.Journal.Keep }, stop).ConfigureAwait(false);
        await using var scope = transaction.ConfigureAwait(false);
        deployment.Plan!.AddTo(transaction);
        await transaction.CommitAsync(stop).ConfigureAwait(false);
        context.Stack = GenAIStack.Find(context.Root);
    }

    /// <summary>Notes the folders that are about to be made, the outermost first, so that it is removed last.</summary>
    private static void NoteFolders(InstallContext context, Deployment deployment, string folder)
    {
        var missing = new Stack<string>();
        for (; folder.Length > context.Root.Length && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!)
            missing.Push(folder);
        foreach (var path in missing)
        {
            var isWrittenTo = deployment.Compose?.Mounts.Any(mount => mount is { Kind: ComposeMountKind.Bind, IsReadOnly: false } && mount.Source == path) == true;
            context.Journal.Note(isWrittenTo ? InstallChangeKind.DataFolder : InstallChangeKind.Folder, path);
        }
    }

    /// <summary>The credential that a container that is about to be started reads: without one, ComfyUI-Login lets everybody in.</summary>
    /// <returns>Null where there is one already.</returns>
    private static PlannedInstallChange? Credential(InstallContext context, Deployment deployment, CancellationToken stop)
    {
        var options = context.Options;
        var service = deployment.Service;

        // Where there is no folder yet there is nothing to survey.
        var survey = Directory.Exists(context.Root) ? new TokenAuditor(context.Verifier, context.Redactor).Survey(deployment.Stack, [service.Name], stop)[0] : null;
        if ((options.Skip & InstallParts.Auth) != 0)
        {
            return survey is not null && HasHash(survey) ? null : throw new ComfyAuthException(
                "InstallCredentialMissing",
                $"There is no credential for the service '{service.Name}', and none is made because authentication is left out: ComfyUI-Login would let everybody in.",
                "Make one with Sync-ComfyToken, or do not leave authentication out.");
        }

        if (survey?.SourceError is { } error)
            throw error;
        if (survey is { Source: null, HashesInUse.Count: > 1 } && options.Password is null)
        {
            throw new ComfyAuthException(
                "AdoptAmbiguous",
                $"There is no source of truth, and the places hold {survey.HashesInUse.Count} different hashes: {string.Join("; ", survey.HashesInUse.Select(use => $"{use.Hash} at {string.Join(", ", use.Locations)}"))}.",
                "Choose one with Sync-ComfyToken -Adopt, or give the password with -Credential.");
        }

        var isRight = survey?.Source is { } source
            && (options.Password is null || survey.IsOf(options.Password, source.Hash, stop))
            && (options.UserName is null || survey.UserNameInUse == options.UserName)
            && !survey.Observe(survey.Truth).Any(place => place.IsFault && place.State != TokenState.ShadowedByShell);
        return isRight ? null : new(
            deployment.Stack.PathOf(service.Source ?? deployment.Stack.Definition.Source),
            survey?.Truth is null ? "Make a credential, and write it to its places" : "Write the credential to its places",
            (_, cancel) => WriteCredentialAsync(context, deployment, cancel));
    }

    /// <summary>Whether what the container reads holds a hash; where that is not known, whether any place does.</summary>
    private static bool HasHash(CredentialSurvey survey)
    {
        var read = survey.Readings.Where(reading => reading.Location.Format == TokenFormat.PasswordFile).ToList();
        return read.Count == 0 ? survey.HashesInUse.Count > 0 : read.TrueForAll(reading => BcryptHash.TryParse(reading.Written ?? "", out _));
    }

    private static async Task WriteCredentialAsync(InstallContext context, Deployment deployment, CancellationToken stop)
    {
        context.Tell("Writing the credential to its places", 0, null);
        var request = new TokenSyncRequest { Services = [context.Service.Name], UserName = context.Options.UserName, Password = context.Options.Password };
        var plan = await Task.Run(() => new TokenSynchronizer(context.Verifier, context.Redactor, logger: context.Logger) { Keep = context.Journal.Keep }.Plan(deployment.Stack, request, stop), stop).ConfigureAwait(false);
        var files = plan.Changes.Select(change => change.File!).Distinct().ToList();
        foreach (var file in files)
            NoteFolders(context, deployment, Path.GetDirectoryName(file)!);
        await plan.ApplyAsync(cancellationToken: stop).ConfigureAwait(false);
    }

    /// <summary>Folders that the engine would make itself, for root, where they are mounted and missing.</summary>
    private static IEnumerable<PlannedInstallChange> MissingFolders(InstallContext context, Deployment deployment)
    {
        var files = deployment.Service.TokenLocations.Select(location => deployment.Stack.PathOf(location.Path)).ToHashSet(RealPath.Comparer);
        return
            from mount in deployment.Compose?.Mounts ?? []
            where mount is { Kind: ComposeMountKind.Bind, Source: { } source }
                && !Path.Exists(source)
                && !files.Contains(source)
                && !MountSources.LooksLikeFile(source)
                && RealPath.Inside(context.Root, source) is not null
                && !deployment.Missing.Any(file => deployment.Stack.PathOf(file.Path).StartsWith(source + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            select new PlannedInstallChange(mount.Source!, "Make the folder, which is mounted into the container", (_, _) =>
            {
                NoteFolders(context, deployment, mount.Source!);
                FileErrors.On(mount.Source!, () => Directory.CreateDirectory(mount.Source!));
                return Task.CompletedTask;
            });
    }

    private static async Task<PlannedInstallChange?> ImageAsync(InstallContext context, Deployment deployment, List<string> evidence, CancellationToken stop)
    {
        foreach (var name in deployment.Images)
        {
            try
            {
                var found = await context.Engine.InspectImageAsync(name, stop).ConfigureAwait(false);
                evidence.Add($"image {name}: {ByteSize.Format(found.SizeInBytes)}, there already");
                return null;
            }
            catch (DockerException error) when (error.Code == "DockerNotFound")
            {
                // It is to be made.
            }
        }

        if (deployment.Images.Count == 0)
            return null;
        var isBuilt = deployment.Compose is { HasBuild: true } or { Image: null };
        return new(deployment.Images[0], isBuilt ? "Build the image" : "Pull the image", async (_, cancel) =>
        {
            context.Tell(isBuilt ? "Building the image" : "Pulling the image", 0, null);
            foreach (var name in deployment.Images)
                context.Journal.Note(InstallChangeKind.Image, name);
            await context.Deployer.BuildAsync(context.Stack, context.Service, new ComposeListener(context), cancel).ConfigureAwait(false);
        });
    }

    private static async Task CreateAsync(InstallContext context, Deployment deployment, CancellationToken stop)
    {
        // Building the image may have taken half an hour, and Compose replaces what another installation has made meanwhile.
        await Deployment.LookAsync(context, stop).ConfigureAwait(false);
        var networks = await context.Engine.ListNetworksAsync(stop: stop).ConfigureAwait(false);
        foreach (var network in deployment.Networks.Except(networks))
            context.Journal.Note(InstallChangeKind.Network, network);
        var volumes = await context.Engine.ListVolumesAsync(stop: stop).ConfigureAwait(false);
        foreach (var volume in deployment.Volumes.Except(volumes))
            context.Journal.Note(InstallChangeKind.Volume, volume);
        context.Journal.Note(InstallChangeKind.Container, context.Service.Container);
        await UpAsync(context, stop).ConfigureAwait(false);
    }

    private static Task StartAsync(InstallContext context, CancellationToken stop)
    {
        context.Journal.Note(InstallChangeKind.Started, context.Service.Container);
        return UpAsync(context, stop);
    }

    private static async Task UpAsync(InstallContext context, CancellationToken stop)
    {
        context.Tell("Starting the container", 0, null);
        await context.Deployer.UpAsync(context.Stack, context.Service, new ComposeListener(context), stop).ConfigureAwait(false);
        await ComfyContainer.WaitUntilLiveAsync(context, stop).ConfigureAwait(false);
    }

    /// <summary>Somebody may have meant the container to be as it is, so it is not made anew.</summary>
    private static async Task TellDriftAsync(InstallContext context, Deployment deployment, List<string> evidence, CancellationToken stop)
    {
        try
        {
            var plan = await new ContainerLifecycle(context.Engine, context.Redactor).PlanRestartAsync(deployment.Stack, deployment.Service, null, stop).ConfigureAwait(false);
            evidence.AddRange(plan.Drift.Select(drift => $"{drift} is not what the compose file says; the container was left as it is"));
        }
        catch (ComfyAuthException error) when (error is not DockerException)
        {
            evidence.Add($"Whether the container is what its compose file says could not be told: {error.Message}");
        }
    }

    private sealed class ComposeListener(InstallContext context) : IProgress<ComposeProgress>
    {
        public void Report(ComposeProgress value) => context.Tell(value.Line, 0, null);
    }
}
