using System.Globalization;
using ComfyAuth.Comfy;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the GPU that a ComfyUI works with.</summary>
internal static class GpuChecks
{
    private const string Visible = "gpu.visible";

    /// <summary>What a picture takes beside the model, as latents and activations, at the sizes that Qwen image edit makes.</summary>
    internal const long Headroom = 2L << 30;

    /// <summary>What ComfyUI tells of its machine; asked with our token.</summary>
    private static readonly SharedServiceFact<ComfySystem> SystemFact = new(async (context, service, stop) =>
    {
        var client = new ComfyClient(service.Url, ComfyCredential.Bearer(BearerToken.Of(context.Stack, service, context.Redactor)), context.Redactor);
        await using var scope = client.ConfigureAwait(false);
        return await client.SystemStatsAsync(stop).ConfigureAwait(false);
    });

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Visible,
            "Service sees a GPU",
            "A ComfyUI that sees no GPU works on the processor, a hundred times slower; and a container that did not ask for a GPU sees none, however well the driver is set up.",
            "Install the NVIDIA container toolkit on the engine's machine, reserve the GPU in the compose file, recreate the container, and see that PyTorch is a build with CUDA.",
            IsComfyUI,
            IsVisibleAsync)
        {
            DependsOn = [ServiceChecks.Ready],
            Weight = 2,
        },
        new(
            "gpu.memory",
            "GPU has memory for the models",
            "ComfyUI loads one model after the other, so the largest must fit into the memory of the GPU, with room to work in. Else its parts are moved in and out, which works and is slow.",
            "Use models of fewer bits, a smaller picture, or a GPU with more memory; stop other programs that use it.",
            service => IsComfyUI(service) && service.Models.Any(model => model.SizeInBytes is not null),
            async (context, service, stop) => Judge(await context.FindAsync(SystemFact, service, stop).ConfigureAwait(false), service.Models))
        {
            DependsOn = [Visible],
        },
    ];

    /// <summary>Whether a service is a ComfyUI: others have no such path.</summary>
    internal static bool IsComfyUI(ServiceDefinition service) => TokenChecks.HasLogin(service) || service.HealthPath == "/system_stats";

    /// <summary>What is said of the memory of the GPUs.</summary>
    internal static CheckOutcome Judge(ComfySystem system, IReadOnlyList<ModelFile> models)
    {
        var largest = models.Where(model => model.SizeInBytes is not null).MaxBy(model => model.SizeInBytes)!;
        var needed = largest.SizeInBytes!.Value + Headroom;
        string[] evidence =
        [
            .. system.Devices.Select(Describe),
            $"largest model: {largest.Path}, {ByteSize.Format(largest.SizeInBytes.Value)}; with room to work in {ByteSize.Format(needed)}",
            $"all models together: {ByteSize.Format(models.Sum(model => model.SizeInBytes ?? 0))}",
        ];
        var gpus = system.Devices.Where(device => device.IsGpu).ToList();
        if (gpus.Count == 0)
            return CheckOutcome.Warning("The service works on the processor, in main memory.", evidence);

        // ComfyUI works with one device, the first that it lists.
        return gpus[0] switch
        {
            { VramTotal: null } => CheckOutcome.Error("The service does not tell how much memory its GPU has.", evidence),
            { VramTotal: { } total } when total < needed => CheckOutcome.Warning($"The largest model and room to work in take {ByteSize.Format(needed)}, and the GPU has {ByteSize.Format(total)}: parts of the model are moved in and out, which is slow.", evidence),

            // What the service itself holds there counts as taken until it needs the room.
            { VramTotal: { } total, VramFree: { } free, TorchVramTotal: var own } when free + (own ?? 0) < needed && total >= needed => CheckOutcome.Warning($"The GPU has {ByteSize.Format(total)}, of which only {ByteSize.Format(free)} is free now; {ByteSize.Format(needed)} is needed. A model that is loaded already may be what takes it.", evidence) with
            {
                Remedy = "Look with nvidia-smi at what uses the GPU; POST /free lets ComfyUI give back what it holds.",
            },
            _ => CheckOutcome.Passed("The largest model fits into the memory of the GPU.", evidence),
        };
    }

    private static async Task<CheckOutcome> IsVisibleAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var system = await context.FindAsync(SystemFact, service, stop).ConfigureAwait(false);
        string[] evidence = [$"ComfyUI {system.ComfyUIVersion ?? "of an unknown version"}, PyTorch {system.PyTorchVersion ?? "of an unknown version"}", .. system.Devices.Select(Describe)];
        if (system.Devices.Any(device => device.IsGpu))
            return CheckOutcome.Passed($"The service sees {system.Devices.First(device => device.IsGpu).Name}.", evidence);

        var asks = await AsksForGpuAsync(context, service, stop).ConfigureAwait(false);
        return CheckOutcome.Failed(
            asks switch
            {
                false => "The service sees no GPU, and its container did not ask for one.",
                true => "The service sees no GPU, although its container asked for one.",
                null => "The service sees no GPU.",
            },
            evidence) with
        {
            Remedy = asks == false ? "Reserve the GPU in the compose file, under deploy.resources.reservations.devices with driver: nvidia, count: all and capabilities: [gpu], and recreate the container." : null,
        };
    }

    /// <summary>Whether the container asked for a GPU; null where that cannot be seen.</summary>
    private static async Task<bool?> AsksForGpuAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        try
        {
            var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
            return ContainerChecks.IsInspected(snapshot)
                ? snapshot.Container is { DeviceRequests.Count: > 0 } or { Runtime: "nvidia" }
                : null;
        }
        catch (ComfyAuthException)
        {
            return null;
        }
    }

    private static string Describe(ComfyDevice device) => string.Create(
        CultureInfo.InvariantCulture,
        $"{device.Name} ({device.Type}){(device.VramTotal is { } total ? $", {ByteSize.Format(total)}" : "")}{(device.VramFree is { } free ? $", {ByteSize.Format(free)} free" : "")}");
}
