using System.Globalization;
using ComfyAuth.Docker;

namespace ComfyAuth.Validation;

/// <summary>Checks of the Docker engine itself.</summary>
internal static class EngineChecks
{
    public const string Reachable = "engine.reachable";

    /// <summary>The ground of whatever asks the engine.</summary>
    public const string Version = "engine.version";

    /// <summary>The oldest release line that gets fixes for security holes; 24.0 and those before it have had none since 2024.</summary>
    internal const int OldestMaintainedRelease = 25;

    /// <summary>Less than that, and images, logs and containers cannot be written any more.</summary>
    internal const long LeastDisk = 1L << 30;

    /// <summary>An image with Python, PyTorch and CUDA takes about half of it, and an update needs room for a second one.</summary>
    internal const long EnoughDisk = 20L << 30;

    /// <summary>Python, PyTorch and ComfyUI take about half of it before the first model is loaded.</summary>
    internal const long LeastMemory = 4L << 30;

    /// <summary>Models go through main memory on their way to the GPU, a text encoder of 9.4 GB among them. An engine counts a little less than is built in.</summary>
    internal const long EnoughMemory = 15L << 30;

    /// <summary>The version of the engine.</summary>
    public static SharedFact<EngineVersion> VersionFact { get; } = new((context, stop) => context.Engine.VersionAsync(stop));

    // Shorter than the check itself may take, which would not tell who was silent.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Reachable,
            "Docker engine answers",
            "The engine that the stack's containers run in must answer; without it nothing is known about any of them.",
            "Start Docker, or name another engine with -DockerHost or -Context.",
            ReachAsync) { Weight = 3 },
        new(
            Version,
            "Engine is of a version that is known",
            "An engine before 19.03 does not have what is asked of it here, and one that gets no more fixes has holes that are known to everybody.",
            "Update the Docker engine.",
            VersionAsync)
        {
            DependsOn = [Reachable],
        },
        new(
            "engine.resources",
            "Engine has memory and disk enough",
            "Images with PyTorch and models of 30 GB need room, on the disk of the engine, in the folder of the models and in memory; where a disk is full, containers fail in ways that do not tell it.",
            "Make room on the disk, for example with 'docker builder prune' and 'docker image prune', or give the engine's machine more. Not with 'docker system prune': it also deletes every container that is stopped.",
            ResourcesAsync)
        {
            DependsOn = [Version],
        },
    ];

    /// <summary>What is said of a version.</summary>
    internal static CheckOutcome Judge(EngineVersion version)
    {
        var what = $"engine {version.Version}, API {version.ApiVersion}{(version.MinimumApiVersion.Length > 0 ? $" (from {version.MinimumApiVersion})" : "")}, {version.OperatingSystem}/{version.Architecture}";
        if (System.Version.TryParse(version.ApiVersion, out var newest) && newest < DockerClient.OldestApiVersion)
            return CheckOutcome.Failed($"Engine {version.Version} speaks API version {newest}, and {DockerClient.OldestApiVersion} is needed.", what);
        if (System.Version.TryParse(version.MinimumApiVersion, out var oldest) && oldest > DockerClient.NewestApiVersion)
            return CheckOutcome.Failed($"Engine {version.Version} speaks no API version before {oldest}, and this program none after {DockerClient.NewestApiVersion}.", what) with { Remedy = "Update this program." };

        var release = version.Version.Split('.')[0];
        return !int.TryParse(release, NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            ? CheckOutcome.Passed($"Engine '{version.Version}' speaks an API version that is known. How old it is its version does not tell.", what)
            : major < OldestMaintainedRelease
                ? CheckOutcome.Warning($"Engine {version.Version} works, but its release line gets no more fixes: {OldestMaintainedRelease}.0 is the oldest that does.", what)
                : CheckOutcome.Passed($"Engine {version.Version} is of a version that is known.", what);
    }

    /// <summary>What is said of memory and disks.</summary>
    /// <param name="memory">The memory of the engine's machine in bytes.</param>
    /// <param name="disks">The disks that can be seen from here.</param>
    internal static CheckOutcome Judge(long memory, IReadOnlyList<DiskSpace> disks)
    {
        var evidence = disks
            .Select(disk => $"{disk.What}: {ByteSize.Format(disk.Free)} free{(disk.Missing > 0 ? $", {ByteSize.Format(disk.Missing)} of models still to come" : "")}")
            .Prepend($"memory of the engine's machine: {(memory > 0 ? ByteSize.Format(memory) : "not told")}")
            .Concat(disks.Count == 0 ? ["disks: none of them can be seen from here"] : [])
            .ToList();
        var tooLittle = disks.Where(disk => disk.Free < LeastDisk + disk.Missing).Select(disk => $"{disk.What} has {ByteSize.Format(disk.Free)} free, and {ByteSize.Format(LeastDisk + disk.Missing)} is needed").ToList();
        if (memory is > 0 and < LeastMemory)
            tooLittle.Add($"the engine's machine has {ByteSize.Format(memory)} of memory, and {ByteSize.Format(LeastMemory)} is needed");
        if (tooLittle.Count > 0)
            return CheckOutcome.Failed(Sentence(tooLittle), evidence);

        var little = disks.Where(disk => disk.Free < EnoughDisk + disk.Missing).Select(disk => $"{disk.What} has only {ByteSize.Format(disk.Free)} free").ToList();
        if (memory is > 0 and < EnoughMemory)
            little.Add($"the engine's machine has only {ByteSize.Format(memory)} of memory");
        return little.Count > 0 ? CheckOutcome.Warning(Sentence(little), evidence) : CheckOutcome.Passed("There is room enough, as far as it can be seen from here.", evidence);
    }

    private static async Task<CheckOutcome> ReachAsync(CheckContext context, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        try
        {
            var version = await context.FindAsync(VersionFact, deadline.Token).ConfigureAwait(false);
            return CheckOutcome.Passed($"Engine {version.Version} answers at {context.Engine.Endpoint.Address}.");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return CheckOutcome.Error($"The engine at {context.Engine.Endpoint.Address} takes the connection, and does not answer within {Duration.Format(Patience)}.") with
            {
                Remedy = "Restart Docker; if the engine is another machine's, look at it there.",
            };
        }
        catch (DockerException error) when (IsOtherVersion(error))
        {
            // It answers; what it speaks is told by the next check.
            return CheckOutcome.Warning($"An engine answers at {context.Engine.Endpoint.Address}.") with { Remedy = error.Remedy };
        }
    }

    private static async Task<CheckOutcome> VersionAsync(CheckContext context, CancellationToken stop)
    {
        try
        {
            return Judge(await context.FindAsync(VersionFact, stop).ConfigureAwait(false));
        }
        catch (DockerException error) when (IsOtherVersion(error))
        {
            return CheckOutcome.Failed(error.Message) with { Remedy = error.Remedy };
        }
    }

    private static bool IsOtherVersion(DockerException error) => error.Code is "DockerApiTooOld" or "DockerApiTooNew";

    private static async Task<CheckOutcome> ResourcesAsync(CheckContext context, CancellationToken stop)
    {
        var engine = await context.Engine.InfoAsync(stop).ConfigureAwait(false);

        // The engine names a folder of its own machine, which is this one behind a socket, unless a virtual machine is in between.
        List<DiskSpace> disks = [];
        if (OperatingSystem.IsLinux() && context.Engine.Endpoint.Transport == DockerTransport.UnixSocket && engine.DataFolder.StartsWith('/'))
            disks.AddRange(DiskSpace.Of("the folder of the engine", engine.DataFolder));
        foreach (var folder in context.Services.Where(ModelChecks.HasModels).GroupBy(service => context.Stack.PathOf(service.ModelsFolder!)))
            disks.AddRange(DiskSpace.Of("the folder of the models", folder.Key, folder.Sum(service => ModelChecks.MissingBytes(context.Stack, service))));
        return Judge(engine.Memory, disks);
    }

    private static string Sentence(List<string> parts)
    {
        var text = string.Join("; ", parts);
        return $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
    }
}
