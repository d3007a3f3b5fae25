using System.Globalization;
using ComfyAuth.Files;
using ComfyAuth.Models;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Checks of the model files of services.</summary>
internal static class ModelChecks
{
    private const string Download = "Download the file from the model hub into its folder: Save-ComfyModel (save-model).";

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            "model.files",
            "Model files are there, whole",
            "ComfyUI loads models from the folders of their kinds; a file that is missing, or not of the size that the hub gives, fails the first workflow after minutes.",
            Download,
            HasModels,
            (context, service, _) => Task.FromResult(Files(context.Stack, service)))
        {
            Weight = 2,
        },
        new(
            "model.header",
            "Model files are safetensors",
            "The header of each file must be one of safetensors, and the file as long as it says. What came instead is named: a web page, a Git LFS pointer, a zip, an error of the hub, a download that broke off.",
            Download,
            HasModels,
            HeadersAsync)
        {
            Timeout = TimeSpan.FromMinutes(2),
        },
        new(
            "model.hash",
            "Model files are the hub's, bit by bit",
            "The SHA-256 of each file is compared with the hub's. It reads every byte, 30 GB of them, so it is done with -Deep only; without it, what was verified by a download and has not changed since counts.",
            "Download the file again, and have the disk and the memory of the machine tested if it happens twice.",
            HasModels,
            HashesAsync)
        {
            Timeout = TimeSpan.FromHours(2),
        },
    ];

    /// <summary>Where a model file is.</summary>
    internal static string PathOf(GenAIStack stack, ServiceDefinition service, ModelFile model) => Path.Combine(stack.PathOf(service.ModelsFolder!), model.Path);

    /// <summary>How many bytes of the models of a service are not there yet.</summary>
    internal static long MissingBytes(GenAIStack stack, ServiceDefinition service) =>
        service.Models.Sum(model => Math.Max(0, (model.SizeInBytes ?? 0) - (new FileInfo(PathOf(stack, service, model)) is { Exists: true } file ? file.Length : 0)));

    internal static bool HasModels(ServiceDefinition service) => service is { ModelsFolder: not null, Models.Count: > 0 };

    private static CheckOutcome Files(GenAIStack stack, ServiceDefinition service)
    {
        var folder = stack.PathOf(service.ModelsFolder!);
        if (!Directory.Exists(folder))
        {
            Absence.Ensure(folder);
            return CheckOutcome.Failed($"There is no models folder '{folder}'.") with
            {
                Remedy = $"Make the folder and download the models into it, or correct 'modelsFolder' of '{service.Name}' in {GenAIStack.FileName}; a link may lead to another disk.",
            };
        }

        List<string> faults = [], fine = [];
        foreach (var model in service.Models)
        {
            var path = PathOf(stack, service, model);
            var file = new FileInfo(path);
            if (Directory.Exists(path))
                faults.Add($"{model.Path}: a folder stands in its place");
            else if (!IsThere(path))
                faults.Add($"{model.Path}: missing{(model.Repository is { } repository ? $"; it comes from {repository}, {model.PathInRepository}" : "")}");
            else if (model.SizeInBytes is { } size && size != file.Length)
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{model.Path}: has {file.Length:N0} bytes, and should have {size:N0}{(file.Length < size ? "" : "; it may be of another version")}"));
            else
                fine.Add(string.Create(CultureInfo.InvariantCulture, $"{model.Path}: {file.Length:N0} bytes"));
        }

        return faults.Count == 0
            ? CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"All {fine.Count} model files are there{(service.Models.All(model => model.SizeInBytes is not null) ? ", whole" : "")}."), fine)
            : CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{faults.Count} of {service.Models.Count} model files are missing or not whole."), [.. faults, .. fine]);
    }

    private static async Task<CheckOutcome> HeadersAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        List<string> faults = [], unknown = [], fine = [];
        string? remedy = null;
        foreach (var model in Present(context.Stack, service).Where(model => model.Name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)))
        {
            try
            {
                var header = await SafetensorsHeader.ReadFileAsync(PathOf(context.Stack, service, model), stop).ConfigureAwait(false);
                fine.Add(string.Create(CultureInfo.InvariantCulture, $"{model.Path}: {header.TensorCount} tensors, {header.FileLength:N0} bytes"));
            }
            catch (ComfyAuthException error) when (error.Code == "ModelFileInvalid")
            {
                faults.Add(error.Message);
                remedy ??= error.Remedy;
            }
            catch (ComfyAuthException error)
            {
                unknown.Add(error.Message);
            }
        }

        if (faults.Count > 0)
            return CheckOutcome.Failed(faults[0], [.. faults, .. unknown, .. fine]) with { Remedy = remedy };
        if (unknown.Count > 0)
            return CheckOutcome.Error(unknown[0], [.. unknown, .. fine]) with { Remedy = "Check the permissions of the file." };
        return fine.Count > 0
            ? CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"The headers of {fine.Count} model files are whole, and the files as long as they say."), fine)
            : CheckOutcome.Skipped("There is no safetensors file to look at.");
    }

    private static async Task<CheckOutcome> HashesAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (isDeep, wasRead) = (context.Options.Deep, true);
        List<string> faults = [], fine = [];
        foreach (var model in Present(context.Stack, service).Where(model => model.Sha256 is not null))
        {
            // What a download has verified, and nobody has written since, need not be read again.
            var path = PathOf(context.Stack, service, model);
            var hash = isDeep ? await ModelVerifier.HashAsync(path, null, stop).ConfigureAwait(false) : ModelVerifier.RememberedHash(path);
            if (hash is null)
                wasRead = false;
            else if (hash == model.Sha256)
                fine.Add($"{model.Path}: {hash}{(isDeep ? "" : ", verified when it was downloaded, its size and time unchanged since")}");
            else
                faults.Add($"{model.Path}: has {hash}, and should have {model.Sha256}");

            // Else the next download would take it for right.
            if (isDeep && hash != model.Sha256)
                ModelVerifier.Forget(ModelPlaces.Of(path));
        }

        if (!wasRead && faults.Count == 0)
            return CheckOutcome.Skipped("Every byte of the model files is read only where it is asked for with -Deep.");
        return faults.Count > 0 ? CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{faults.Count} of {faults.Count + fine.Count} model files are not what the hub has."), [.. faults, .. fine])
            : fine.Count > 0 ? CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"{fine.Count} model files are the hub's, bit by bit."), fine)
            : CheckOutcome.Skipped("There is no model file whose hash is known.");
    }

    private static IEnumerable<ModelFile> Present(GenAIStack stack, ServiceDefinition service) => service.Models.Where(model => IsThere(PathOf(stack, service, model)));

    /// <summary>Whether there is a file; what may not be seen is not taken for missing.</summary>
    private static bool IsThere(string path)
    {
        if (File.Exists(path))
            return true;
        Absence.Ensure(path);
        return false;
    }
}
