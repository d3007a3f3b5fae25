using System.Globalization;
using System.Security.Cryptography;
using ComfyAuth.Comfy;
using ComfyAuth.Files;
using ComfyAuth.Tokens;

namespace ComfyAuth.Installation.Steps;

/// <summary>A picture that the server makes, and that is looked at. What comes into being for it is removed again.</summary>
internal sealed class TestImageStep : InstallStep
{
    /// <summary>What the names of all files begin with that are made for it.</summary>
    internal const string Prefix = "comfyauth_";

    private const string SmokeWorkflow = "smoke.api.json";
    private const string EditWorkflow = "qwen-image-edit-2509.api.json";

    // ComfyUI keeps colours as fractions, and rounds when it saves them.
    private const int ColourTolerance = 2;

    // The square of the reference is a quarter of it. That model and VAE do not give back every pixel makes less than a hundredth.
    private const double LeastDifference = 0.02;

    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.TestImage;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Test;

    /// <inheritdoc/>
    public override bool AlwaysProves => true;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) =>
        Task.FromResult(new StepPlan($"'{context.Service.Name}' is asked for a picture, which is looked at and removed again."));

    /// <inheritdoc/>
    public override async Task<StepPlan> VerifyAsync(InstallContext context, CancellationToken stop)
    {
        var container = await ComfyContainer.FindRunningAsync(context, stop).ConfigureAwait(false);
        using var client = container.Client() ?? throw new ComfyAuthException(
            "TestImageNotAsked",
            $"No picture was asked for: {(container.AnswersItself ? $"the token of '{context.Service.Name}' is not known" : $"somebody else answers at {context.Service.Url}")}.",
            container.AnswersItself ? "Synchronise the credential with Sync-ComfyToken." : "See with Get-GenAIContainer which container has the port, and mend the ports or the url of the service.");
        using var trial = new Trial(context, container, client);
        try
        {
            Trial.RemoveLeft(context);
            List<string> evidence = [await trial.MakeAsync(stop).ConfigureAwait(false)];
            var reason = await WhyNoEditAsync(context, client, stop).ConfigureAwait(false);
            if (reason is null)
                evidence.Add(await trial.EditAsync(stop).ConfigureAwait(false));
            else
                evidence.Add($"The models were not tried: {reason}");
            evidence.AddRange(await trial.CleanAsync(stop).ConfigureAwait(false));
            return new(reason is null ? "The server made a picture and edited one with the models, both as asked." : "The server made a picture, without a model, as asked.", evidence);
        }
        catch (ComfyAuthException)
        {
            await trial.CleanAsync(stop).ConfigureAwait(false);
            throw;
        }
    }

    private static ComfyWorkflow Workflow(string name)
    {
        using var reader = new StreamReader(Resource(name));
        return ComfyWorkflow.Parse(reader.ReadToEnd(), name);
    }

    private static Stream Resource(string name) => typeof(TestImageStep).Assembly.GetManifestResourceStream($"ComfyAuth.Installation.Workflows.{name}")!;

    /// <summary>Why the models cannot be tried; null where they can.</summary>
    private static async Task<string?> WhyNoEditAsync(InstallContext context, ComfyClient client, CancellationToken stop)
    {
        if (context.Options.Cpu || !(await client.SystemStatsAsync(stop).ConfigureAwait(false)).Devices.Any(device => device.IsGpu))
            return "ComfyUI runs on the processor, where an edit would take hours.";

        // The reference is not there yet.
        var problems = ComfyWorkflowValidator.Validate(Workflow(EditWorkflow), await client.ObjectInfoAsync(stop).ConfigureAwait(false));
        return problems.FirstOrDefault(problem => problem.NodeClass != "LoadImage") is { } problem ? $"{problem.NodeClass}: {problem.Reason}." : null;
    }

    /// <summary>The files of one trial: here, and on the server.</summary>
    private sealed class Trial(InstallContext context, ComfyContainer container, ComfyClient client) : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("comfyauth-").FullName;
        private readonly List<(string Folder, string Name, string? HostPath)> _made = [];

        /// <summary>Has a picture of one colour made; the size and the colour are others each time, as what is the same would be taken from a cache.</summary>
        public async Task<string> MakeAsync(CancellationToken stop)
        {
            var (width, height) = (64 + (8 * RandomNumberGenerator.GetInt32(8)), 64 + (8 * RandomNumberGenerator.GetInt32(8)));
            int[] colour = [RandomNumberGenerator.GetInt32(32, 224), RandomNumberGenerator.GetInt32(32, 224), RandomNumberGenerator.GetInt32(32, 224)];
            var image = await RunAsync(SmokeWorkflow, "2", stop, new("1.width", width), new("1.height", height), new("1.color", (colour[0] << 16) | (colour[1] << 8) | colour[2])).ConfigureAwait(false);
            var decoded = Decode(image);
            if (decoded.Width != width || decoded.Height != height)
                throw Wrong($"it has {decoded.Width} x {decoded.Height} pixels, and should have {width} x {height}");
            for (var at = 0; at < decoded.Pixels.Length; at++)
            {
                if (at % 4 < 3 && Math.Abs(decoded.Pixels[at] - colour[at % 4]) > ColourTolerance)
                    throw Wrong(string.Create(CultureInfo.InvariantCulture, $"its pixel {at / 4} has the colour #{decoded.Pixels[at / 4 * 4]:X2}{decoded.Pixels[(at / 4 * 4) + 1]:X2}{decoded.Pixels[(at / 4 * 4) + 2]:X2}, and should have #{colour[0]:X2}{colour[1]:X2}{colour[2]:X2}"));
            }

            return string.Create(CultureInfo.InvariantCulture, $"A picture of {width} x {height} pixels in #{colour[0]:X2}{colour[1]:X2}{colour[2]:X2} was made in {image.Seconds:0.0} s, and is that.");
        }

        /// <summary>Has the reference edited with the models.</summary>
        public async Task<string> EditAsync(CancellationToken stop)
        {
            using var reference = new MemoryStream();
            using (var resource = Resource("reference.png"))
                await resource.CopyToAsync(reference, stop).ConfigureAwait(false);
            var name = NewName() + ".png";
            await NoteAsync("input", name, stop).ConfigureAwait(false);
            var stored = await client.UploadImageAsync(name, reference.ToArray(), stop).ConfigureAwait(false);
            var image = await RunAsync(EditWorkflow, "13", stop, new("6.image", stored.Name), new("11.seed", RandomNumberGenerator.GetInt32(int.MaxValue))).ConfigureAwait(false);
            var check = ImageCheck.Check(await ReadAsync(image, stop).ConfigureAwait(false), reference.ToArray());
            if (check.IsImage != true || check.IsFlat || check.IsNoise || check.DifferenceFromReference is null)
                throw Wrong($"the edited one is not right. {string.Join(' ', check.Problems)}");
            if (check.DifferenceFromReference < LeastDifference)
                throw Wrong(string.Create(CultureInfo.InvariantCulture, $"the edited one is the reference again: it differs by {check.DifferenceFromReference:0.000}, and should by {LeastDifference:0.00} at least"));
            return string.Create(CultureInfo.InvariantCulture, $"A picture of {check.Width} x {check.Height} pixels was edited with the models in {image.Seconds:0.0} s: it is neither flat nor noise, and differs from its reference by {check.DifferenceFromReference:0.000}.");
        }

        /// <summary>Removes what a trial left that was interrupted.</summary>
        public static void RemoveLeft(InstallContext context)
        {
            foreach (var change in context.Journal.Changes.Where(change => change.Kind == InstallChangeKind.Output).ToList())
            {
                if (InstallUndo.OutputOf(context, change) is { } path)
                    FileErrors.On(path, () => File.Delete(path));
                context.Journal.Forget(change);
            }
        }

        /// <summary>Removes what was made on the server.</summary>
        /// <returns>What could not be removed, a line each.</returns>
        public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken stop)
        {
            var left = new List<string>();
            foreach (var (folder, name, host) in _made)
            {
                var path = $"{folder}/{name}";
                try
                {
                    path = $"{await container.FolderAsync(stop).ConfigureAwait(false)}/{path}";
                    if (host is not null)
                        FileErrors.On(host, () => File.Delete(host));
                    else if (await container.RunPythonAsync(["-c", "import os, sys; os.path.lexists(sys.argv[1]) and os.remove(sys.argv[1])", path], null, stop).ConfigureAwait(false) is { ExitCode: not 0 } refused)
                        throw new ComfyAuthException("FileOperationFailed", container.Said(refused));
                    if (context.Journal.Changes.FirstOrDefault(change => change.Kind == InstallChangeKind.Output && change.Target.EndsWith("/" + name, StringComparison.Ordinal)) is { } noted)
                        context.Journal.Forget(noted);
                }
                catch (ComfyAuthException error)
                {
                    left.Add($"{host ?? path} was left: {error.Message}");
                }
            }

            return left;
        }

        public void Dispose()
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (Exception error) when (FileErrors.IsFileError(error))
            {
                // It is a temporary one.
            }
        }

        private static string NewName() => Prefix + Convert.ToHexString(RandomNumberGenerator.GetBytes(6)).ToLowerInvariant();

        private static PngImage Decode(ComfyImage image)
        {
            try
            {
                return PngImage.Decode(FileErrors.On(image.Path, () => File.ReadAllBytes(image.Path)));
            }
            catch (PngException error)
            {
                throw Wrong($"it cannot be decoded: {error.Message}");
            }
        }

        private static async Task<byte[]> ReadAsync(ComfyImage image, CancellationToken stop)
        {
            try
            {
                return await File.ReadAllBytesAsync(image.Path, stop).ConfigureAwait(false);
            }
            catch (Exception error) when (FileErrors.IsFileError(error))
            {
                throw FileErrors.Translate(image.Path, error);
            }
        }

        private static ComfyAuthException Wrong(string why) =>
            new("TestImageWrong", $"The server made a picture that is not the one that was asked for: {why.TrimEnd('.')}.", "See the service's log; where only the models' picture is wrong, verify their files with Test-GenAIEcosystem -Deep.");

        private async Task<ComfyImage> RunAsync(string workflow, string saver, CancellationToken stop, params KeyValuePair<string, object?>[] inputs)
        {
            // Under a name of its own the first file is always number 1.
            var name = NewName();
            await NoteAsync("output", name + "_00001_.png", stop).ConfigureAwait(false);
            var options = new ComfyWorkflowOptions
            {
                Inputs = [.. inputs, new($"{saver}.filename_prefix", name)],
                OutFolder = _folder,
                LocalFolder = _folder,
                Timeout = context.Options.Timeout,
            };
            ComfyImage? made = null;
            await foreach (var image in new ComfyWorkflowRunner(client).RunAsync(Workflow(workflow), options, new Following(context), stop).ConfigureAwait(false))
                made ??= image;
            return made ?? throw Wrong("it ended well and gave out no file");
        }

        /// <summary>Notes a file that the server is about to make, where it will lie in the stack.</summary>
        private async Task NoteAsync(string folder, string name, CancellationToken stop)
        {
            var host = LivePasswordReader.HostPath(container.Details, $"{await container.FolderAsync(stop).ConfigureAwait(false)}/{folder}/{name}");
            if (host is not null && RealPath.Inside(context.Root, RealPath.Of(host)) is not null)
                context.Journal.Note(InstallChangeKind.Output, host);
            _made.Add((folder, name, host));
        }

        private sealed class Following(InstallContext context) : IProgress<PromptEvent>
        {
            public void Report(PromptEvent value)
            {
                if (value.Kind == PromptEventKind.Warning)
                    context.Tell($"The test picture: {value.Problem}.", 0, null);
                if (value is { Kind: PromptEventKind.Progress, Total: > 0 })
                    context.Tell($"Making the test picture: step {value.Done} of {value.Total}", value.Done, value.Total);
            }
        }
    }
}
