namespace ComfyAuth.Containers;

/// <summary>Rules about a GPU that is wanted and not there: which of the four things between the card and PyTorch is missing.</summary>
internal static class GpuRules
{
    public static IReadOnlyList<DiagnosisRule> All { get; } =
    [
        new("gpu-runtime-missing", ContainerCondition.GpuMissing,
            "The engine has nothing that gives GPUs to containers.",
            "Install the NVIDIA container toolkit on the engine's machine, run 'nvidia-ctk runtime configure --runtime=docker', and restart the engine. With Docker Desktop on Windows use its WSL 2 engine; on a Mac there is no NVIDIA GPU.",
            context => Found(context, LogTopic.GpuRuntime)),
        new("gpu-driver-missing", ContainerCondition.GpuMissing,
            "The container has a GPU reserved, and the driver of the engine's machine is missing, too old, or does not know that GPU.",
            "Run nvidia-smi on the engine's machine: install or update the NVIDIA driver until it lists the GPU, and reserve one that it lists.",
            context => Found(context, LogTopic.GpuDriver) ?? (HasGpu(context) ? Found(context, LogTopic.GpuAbsent) : null)),
        new("gpu-not-reserved", ContainerCondition.GpuMissing,
            "The program sees no GPU, and the container has none reserved.",
            "Reserve it in the compose file under deploy.resources.reservations.devices, with driver: nvidia, count: all and capabilities: [gpu], and recreate the container.",
            context => HasGpu(context) ? null : Found(context, LogTopic.GpuAbsent)),
        new("gpu-torch-without-cuda", ContainerCondition.GpuMissing,
            "The PyTorch in the container was made for machines without a GPU.",
            "Install a PyTorch made for CUDA, for example from https://download.pytorch.org/whl/cu128, or start ComfyUI with --cpu where no GPU is meant.",
            context => Found(context, LogTopic.GpuTorch)),
    ];

    private static bool HasGpu(DiagnosisContext context) => context.Container is { } container && (container.DeviceRequests.Count > 0 || container.Runtime == "nvidia");

    private static DiagnosisFinding? Found(DiagnosisContext context, LogTopic topic)
    {
        if (context.Container is not { } container || context.Signs(topic).FirstOrDefault() is not { } sign)
            return null;

        var isEngine = sign.Index < 0;
        var reserved = container.DeviceRequests.Count == 0 ? $"no device is reserved, and the runtime is '{container.Runtime}'"
            : "reserved: " + string.Join("; ", container.DeviceRequests.Select(request => $"{(request.Driver.Length > 0 ? request.Driver : "any driver")}, {(request.DeviceIds.Count > 0 ? $"devices {string.Join(", ", request.DeviceIds)}" : request.Count < 0 ? "all" : $"{request.Count}")}"));
        var detail = sign["want"] is { } want ? $" (it wants {want})" : sign["why"] is { } why ? $" ({why})" : "";
        return new($"It wants a GPU and gets none: {sign.Signature.Meaning}{detail}{(topic == LogTopic.GpuAbsent ? HasGpu(context) ? ", although one is reserved" : ", and none is reserved" : "")}.",
            isEngine ? DiagnosisConfidence.High : DiagnosisConfidence.Medium,
            [DiagnosisContext.Quote(sign), reserved])
        {
            // It goes on without: on the processor, or it only warned.
            IsAside = context.IsRunning && !context.IsLooping,
        };
    }
}
