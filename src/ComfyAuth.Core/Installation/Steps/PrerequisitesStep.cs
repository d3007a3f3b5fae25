using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Models;
using ComfyAuth.Processes;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Installation.Steps;

/// <summary>What must be there already; makes nothing. All that is in the way is told at once.</summary>
internal sealed class PrerequisitesStep : InstallStep
{
    /// <summary>Python, PyTorch with CUDA and ComfyUI take about 9 GB, and while an image is built its layers are there twice for a time.</summary>
    private const long GpuImage = 15L << 30;

    /// <summary>The same without CUDA.</summary>
    private const long CpuImage = 5L << 30;

    private static readonly TimeSpan HubPatience = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Prerequisites;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.None;

    /// <inheritdoc/>
    public override async Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop)
    {
        var look = new Look(context);
        await look.AtEngineAsync(stop).ConfigureAwait(false);
        look.AtFolders();
        look.AtDisks();
        await look.AtHubAsync(stop).ConfigureAwait(false);
        return look.Conclude();
    }

    private sealed class Look(InstallContext context)
    {
        private readonly List<(string Message, string Remedy)> _problems = [];
        private readonly List<string> _evidence = [];
        private EngineInfo? _engine;
        private Deployment? _deployment;
        private bool _hasImage = true;

        private InstallOptions Options => context.Options;

        private bool NeedsContainer => (Options.Skip & InstallParts.Docker) == 0;

        private (GenAIStack Stack, ServiceDefinition Service) Target => _deployment is { } deployment ? (deployment.Stack, deployment.Service)
            : Deployment.PlanOf(context)?.Stack is { } stack ? (stack, Installer.ServiceOf(stack, Options))
            : (context.Stack, context.Service);

        public async Task AtEngineAsync(CancellationToken stop)
        {
            try
            {
                var version = EngineChecks.Judge(await context.Engine.VersionAsync(stop).ConfigureAwait(false));
                if (version.Status == CheckStatus.Failed && NeedsContainer)
                    _problems.Add((version.Message, version.Remedy ?? "Update the Docker engine."));
                else
                    _evidence.Add(version.Message);
                _engine = await context.Engine.InfoAsync(stop).ConfigureAwait(false);
            }
            catch (DockerException error)
            {
                Tell(error, isProblem: NeedsContainer);
            }

            if (!NeedsContainer)
                return;
            await TryAsync(async () => _evidence.Add($"compose command: {await context.Deployer.DescribeAsync(stop).ConfigureAwait(false)}")).ConfigureAwait(false);
            if (_engine is null)
                return;
            AtMemory(_engine.Memory);
            await TryAsync(async () =>
            {
                _deployment = await Deployment.LookAsync(context, stop).ConfigureAwait(false);
                await AtDeploymentAsync(_deployment, _engine, stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        public void AtFolders()
        {
            AtFolder("The folder of the stack", context.Root);
            if (Options.ReportDirectory is { } reports)
                AtFolder("The folder of the reports", Path.GetFullPath(reports));
        }

        public void AtDisks()
        {
            List<(DiskSpace Disk, string For)> needs = [];
            Try(() =>
            {
                var (stack, service) = Target;
                if ((Options.Skip & InstallParts.Models) == 0 && service.ModelsFolder is { } models && MissingBytes(stack, service) is var missing)
                    needs.AddRange(DiskSpace.Of("the folder of the models", stack.PathOf(models), Math.Max(1, missing + (missing / 10))).Select(disk => (disk, $"{ByteSize.Format(missing)} of models are still to come")));
            });

            // The engine names a folder of its own machine, which is this one behind a socket, unless a virtual machine is in between.
            if (_engine is not null && !_hasImage && OperatingSystem.IsLinux() && context.Engine.Endpoint.Transport == DockerTransport.UnixSocket && _engine.DataFolder.StartsWith('/'))
            {
                var image = Options.Cpu ? CpuImage : GpuImage;
                needs.AddRange(DiskSpace.Of("the folder of the engine", _engine.DataFolder).Select(disk => (disk with { Missing = image }, $"the image takes about {ByteSize.Format(image)} while it is made")));
            }

            if (!_hasImage && needs.TrueForAll(need => !need.Disk.What.StartsWith("the folder of the engine", StringComparison.Ordinal)))
                _evidence.Add("How much room the engine's disk has for the image cannot be seen from here.");
            foreach (var disk in needs.GroupBy(need => MountOf(need.Disk)))
            {
                var free = disk.Min(need => need.Disk.Free);
                var needed = disk.Sum(need => need.Disk.Missing) + EngineChecks.LeastDisk;
                var where = string.Join(" and ", disk.Select(need => need.Disk.What.TrimEnd(',')));
                var why = string.Join(", ", disk.Select(need => need.For));
                if (free < needed)
                    _problems.Add(($"The disk of {where} has {ByteSize.Format(free)} free, and {ByteSize.Format(needed)} is needed: {why}.", "Make room, or have the folder on another disk; a link may lead there."));
                else
                    _evidence.Add($"disk of {where}: {ByteSize.Format(free)} free; {why}");
            }
        }

        public async Task AtHubAsync(CancellationToken stop)
        {
            if ((Options.Skip & InstallParts.Models) != 0)
                return;
            await TryAsync(async () =>
            {
                var (stack, service) = Target;
                var missing = service.ModelsFolder is null ? [] : service.Models.Where(model => MissingBytes(stack, service, model) > 0 || !File.Exists(ModelChecks.PathOf(stack, service, model))).ToList();
                if (missing.Count == 0)
                    _evidence.Add("All model files are there, so that no model hub is needed.");
                else
                    await AskHubAsync(stack, service, missing, stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        public StepPlan Conclude()
        {
            if (_problems.Count == 0)
                return new("Everything that an installation needs is there, as far as it can be told from here.", [.. _evidence]);
            if (_problems is [var only])
                throw new ComfyAuthException("PrerequisitesMissing", only.Message, only.Remedy);
            throw new ComfyAuthException(
                "PrerequisitesMissing",
                string.Create(CultureInfo.InvariantCulture, $"{_problems.Count} things are in the way. {Numbered(_problems.Select(problem => problem.Message))}"),
                Numbered(_problems.Select(problem => problem.Remedy)));
        }

        private static string Numbered(IEnumerable<string> parts) => string.Join(' ', parts.Select((part, index) => string.Create(CultureInfo.InvariantCulture, $"({index + 1}) {part}")));

        private async Task AtDeploymentAsync(Deployment deployment, EngineInfo engine, CancellationToken stop)
        {
            var service = deployment.Service;
            if (Options.Port is { } asked && asked != service.Url.Port)
                _problems.Add(($"Port {asked} was asked for, and {GenAIStack.FileName} has the service '{service.Name}' at {service.Url}.", $"Change 'url' there and the port in the service's .env, or leave the port out."));
            if (deployment is { Missing.Count: 0, Compose.Ports: { Count: > 0 } ports } && ports.All(port => port.Published is not null && (service.Url.Port < port.Published || service.Url.Port > (port.PublishedTo ?? port.Published))))
                _problems.Add(($"The compose file publishes {string.Join(", ", ports.Select(port => port.Published))}, and the stack has the service '{service.Name}' at {service.Url}.", $"Change COMFYUI_PORT in the service's .env, or 'url' in {GenAIStack.FileName}."));
            await AtPortAsync(deployment, stop).ConfigureAwait(false);
            if (deployment.Container is not null)
                return;

            AtGpu(deployment, engine);
            var images = await context.Engine.ListImagesAsync(stop).ConfigureAwait(false);
            _hasImage = deployment.Images.Count == 0 || images.Any(image => image.Tags.Intersect(deployment.Images).Any());
        }

        private async Task AtPortAsync(Deployment deployment, CancellationToken stop)
        {
            var url = deployment.Service.Url;
            if (deployment.IsRunning)
            {
                _evidence.Add($"port {url.Port}: the container {deployment.Container!.Name} runs already");
                return;
            }

            var all = await context.Engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
            if (PortOwner.Of(url.Port, deployment.Container?.Id, all) is { } owner)
                _problems.Add(($"Port {url.Port} is taken by the container '{owner.Name}'.", $"Stop it ('docker stop {owner.Name}'), or install on another port with -Port."));
            else if (!url.IsLoopback || !MountSources.IsHere(context.Engine.Endpoint))
                _evidence.Add($"Whether port {url.Port} is free on the engine's machine cannot be seen from here.");
            else
                AtLocalPort(url.Port);
        }

        private void AtLocalPort(int port)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                socket.Listen(1);
                _evidence.Add($"port {port}: free");
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                _problems.Add(($"Port {port} of this machine is taken by another program.", "End that program, or install on another port with -Port."));
            }
            catch (SocketException error)
            {
                _evidence.Add($"Whether port {port} is free could not be told: {error.Message}");
            }
        }

        private void AtMemory(long memory)
        {
            if (memory is > 0 and < EngineChecks.LeastMemory)
                _problems.Add(($"The engine's machine has {ByteSize.Format(memory)} of memory, and {ByteSize.Format(EngineChecks.LeastMemory)} is needed.", "Give it more; for Docker Desktop that is set under Resources, or in .wslconfig."));
            else
                _evidence.Add($"memory of the engine's machine: {(memory > 0 ? ByteSize.Format(memory) : "not told")}{(memory is > 0 and < EngineChecks.EnoughMemory ? "; the models need more to be loaded swiftly" : "")}");
        }

        private void AtGpu(Deployment deployment, EngineInfo engine)
        {
            if (deployment.Compose is not { } compose || !(compose.Runtime == "nvidia" || compose.DeviceReservations.Any(device => device.IsGpu)))
                _evidence.Add("GPU: none is asked for");
            else if (engine.Runtimes.Contains("nvidia"))
                _evidence.Add("GPU: the engine has the runtime nvidia");
            else if (engine.Devices.FirstOrDefault(device => device.StartsWith("nvidia.com/gpu=", StringComparison.Ordinal)) is { } device)
                _evidence.Add($"GPU: the engine knows the device {device}");
            else if (!MountSources.IsHere(context.Engine.Endpoint))
                _evidence.Add("The engine tells of no runtime for GPUs; whether it has the NVIDIA Container Toolkit all the same cannot be seen from here.");
            else if (ProgramSearch.Locate("nvidia-container-runtime-hook").FirstOrDefault() is { } hook)
                _evidence.Add($"GPU: {hook} is there, with which an engine gives a GPU to containers without a runtime of its own");
            else
                _problems.Add(("A GPU is asked for, and the engine can give containers none: it has neither the runtime nvidia nor a device of NVIDIA (CDI).", "Install the NVIDIA driver and the NVIDIA Container Toolkit and restart Docker; or install for the processor with -Cpu."));
        }

        private void AtFolder(string what, string folder)
        {
            var existing = folder;
            while (!Path.Exists(existing) && Path.GetDirectoryName(existing) is { } above)
                existing = above;
            if (!Directory.Exists(existing))
                _problems.Add(($"{what} cannot be '{folder}': '{existing}' is a file.", "Give another folder."));
            else if (!OperatingSystem.IsWindows() && !Posix.IsWritable(existing))
                _problems.Add(($"{what}, '{folder}', cannot be written to by this account.", $"Give another folder, or give this account the right to write to '{existing}'."));
        }

        private async Task AskHubAsync(GenAIStack stack, ServiceDefinition service, List<ModelFile> missing, CancellationToken stop)
        {
            using var hub = new HubClient(
                new() { Endpoint = context.HubEndpoint, StallTimeout = HubPatience, Token = HubToken.Find(Options.HuggingFaceToken, context.Root)?.Secret }, context.Redactor, TimeProvider.System);
            var problems = _problems.Count;
            foreach (var model in missing)
            {
                try
                {
                    await hub.ResolveAsync(ModelDownload.Of(model, stack.PathOf(service.ModelsFolder!)).Source, _evidence.Add, stop).ConfigureAwait(false);
                }
                catch (ComfyAuthException error) when (error.Code is "HubBusy" or "HubFailed")
                {
                    _evidence.Add($"The model hub answers, and cannot say now whether it gives the models: {error.Message}");
                    return;
                }
                catch (ComfyAuthException error) when (error.Code is "HubUnreachable" or "HubTimedOut")
                {
                    _problems.Add(($"{missing.Count} model files are missing, and the model hub cannot be reached: {error.Message}", $"Check the network and the proxy, or name a mirror in {ModelDownloadOptions.EndpointVariable}; or put the files into '{stack.PathOf(service.ModelsFolder!)}' yourself; or leave the models out with -SkipModels."));
                    return;
                }
                catch (ComfyAuthException error)
                {
                    Tell(error, isProblem: true);
                }
            }

            if (_problems.Count == problems)
                _evidence.Add($"model hub {hub.Endpoint}: has the {missing.Count} files that are missing");
        }

        private static long MissingBytes(GenAIStack stack, ServiceDefinition service) => service.Models.Sum(model => MissingBytes(stack, service, model));

        /// <summary>The room that a model still takes; an unfinished download has the room of the whole from its beginning.</summary>
        private static long MissingBytes(GenAIStack stack, ServiceDefinition service, ModelFile model)
        {
            var path = RealPath.Of(ModelChecks.PathOf(stack, service, model));
            var size = model.SizeInBytes ?? 0;
            return Length(path) == size ? 0 : Math.Max(0, size - (Length(new ModelPlaces(path).Part) ?? 0));
        }

        private static long? Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : null;

        private static string MountOf(DiskSpace disk)
        {
            var folder = disk.What[(disk.What.IndexOf(", ", StringComparison.Ordinal) + 2)..].TrimEnd(',');
            return DriveInfo.GetDrives().Select(drive => drive.Name).Where(name => RealPath.Of(folder).StartsWith(name, StringComparison.Ordinal)).MaxBy(name => name.Length) ?? folder;
        }

        private void Try(Action look)
        {
            try
            {
                look();
            }
            catch (ComfyAuthException error)
            {
                Tell(error, isProblem: true);
            }
        }

        private async Task TryAsync(Func<Task> look)
        {
            try
            {
                await look().ConfigureAwait(false);
            }
            catch (ComfyAuthException error)
            {
                Tell(error, isProblem: true);
            }
        }

        private void Tell(ComfyAuthException error, bool isProblem)
        {
            if (!isProblem)
                _evidence.Add(error.Message);
            else if (!_problems.Contains((error.Message, error.Remedy)))
                _problems.Add((error.Message, error.Remedy));
        }
    }
}
