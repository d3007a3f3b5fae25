using System.Runtime.CompilerServices;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Installation;

/// <summary>
/// Removes what installations have made, as their journal says, the last first. Where there is no journal, because the stack was installed
/// by hand, that is the container of the service and the networks of its compose project, and nothing else.
/// </summary>
/// <param name="engine">The engine that the container is in.</param>
/// <param name="redactor">Learns and hides the secrets.</param>
/// <param name="verifier">Asks bcrypt.</param>
/// <param name="logger">Is told what is done; null for nobody.</param>
public sealed class Uninstaller(DockerClient engine, SecretRedactor redactor, PasswordVerifier verifier, ILogger? logger = null)
{
    private readonly ILogger _logger = logger ?? NullLogger.Instance;

    /// <summary>How long to wait for an installation of the same stack.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether models, pictures and volumes go as well.</summary>
    public bool RemoveData { get; init; }

    /// <summary>Finds the stack whose installation is removed. One of which only models are left is no stack any more, but has its journal.</summary>
    /// <param name="folder">A folder.</param>
    /// <exception cref="ComfyAuthException"><c>StackNotFound</c>; what is wrong with the stack file.</exception>
    public static GenAIStack StackAt(string folder) => InstallJournal.Exists(Path.GetFullPath(folder)) ? Installer.StackAt(folder) : GenAIStack.Find(folder);

    /// <summary>Removes.</summary>
    /// <param name="stack">The stack, of <see cref="StackAt"/>.</param>
    /// <param name="service">The service; null for the first one behind ComfyUI-Login.</param>
    /// <param name="approve">Asked before each change; null approves all.</param>
    /// <param name="stop">Ends the work; the next run goes on with it.</param>
    /// <returns>What became of each thing, as it is done; an error of one spares the others. Nothing where nothing is installed.</returns>
    /// <exception cref="ComfyAuthException"><c>LockTimeout</c>: an installation is at work; <c>InstallJournalUnreadable</c>; <c>ServiceNotFound</c>; or the engine cannot be asked.</exception>
    public async IAsyncEnumerable<UndoneChange> RunAsync(GenAIStack stack, string? service, Func<PlannedChange, Task<bool>>? approve, [EnumeratorCancellation] CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        using var held = Directory.Exists(FileJournal.StateFolder(stack.Root))
            ? await FileLock.AcquireAsync(InstallJournal.LockOf(stack.Root), LockTimeout, _logger, stop).ConfigureAwait(false)
            : null;
        var context = ContextOf(stack, service);
        var changes = await ChangesAsync(context, stop).ConfigureAwait(false);
        await foreach (var undone in new InstallUndo(context, isRemoval: true, RemoveData).RunAsync(changes, approve, stop).ConfigureAwait(false))
            yield return undone;

        // That a container was started is nothing to remove.
        if (context.Journal.Run == 0 || !context.Journal.Changes.All(IsPast))
            yield break;
        foreach (var change in context.Journal.Changes.ToList())
            context.Journal.Forget(change);
        context.Journal.End();
    }

    /// <summary>Tells what would be removed; changes nothing.</summary>
    /// <inheritdoc cref="RunAsync"/>
    /// <returns>The changes, the last first.</returns>
    public async Task<IReadOnlyList<PlannedChange>> PlanAsync(GenAIStack stack, string? service, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var context = ContextOf(stack, service);
        var planned = new List<PlannedChange>();
        var undo = new InstallUndo(context, isRemoval: true, RemoveData, isPlan: true).RunAsync(
            await ChangesAsync(context, stop).ConfigureAwait(false),
            change =>
            {
                planned.Add(change);
                return Task.FromResult(false);
            },
            stop);
        await foreach (var _ in undo.ConfigureAwait(false))
        {
            // Each is declined as soon as it is told.
        }

        return planned;
    }

    private InstallContext ContextOf(GenAIStack stack, string? service)
    {
        var options = new InstallOptions { Service = service };
        Installer.ServiceOf(stack, options);
        return new()
        {
            Stack = stack,
            Options = options,
            Engine = engine,
            Deployer = new ComposeDeployer(engine, redactor, _logger),
            Redactor = redactor,
            Verifier = verifier,
            Journal = InstallJournal.Read(stack.Root),
            Logger = _logger,
            Tell = (_, _, _) => { },
        };
    }

    private async Task<IReadOnlyList<InstallChange>> ChangesAsync(InstallContext context, CancellationToken stop)
    {
        if (context.Journal.Changes.Count > 0)
            return [.. context.Journal.Changes.Where(change => !IsPast(change)).DistinctBy(change => (change.Kind, change.Target))];

        ContainerDetails container;
        try
        {
            container = await engine.InspectContainerAsync(context.Service.Container, stop).ConfigureAwait(false);
        }
        catch (DockerException error) when (error.Code == "DockerNotFound")
        {
            return [];
        }

        // A container of this name that was made of another folder's compose file is somebody else's.
        var origin = ContainerOrigin.Of(container);
        if (origin?.Folder is { } folder && Directory.Exists(folder) && RealPath.Inside(RealPath.Of(context.Root), RealPath.Of(folder)) is null)
            return [];

        InstallChange Change(InstallChangeKind kind, string target) => new(1, InstallStepName.Container, kind, target);
        var networks = origin is not null ? await NetworksAsync(origin, container, stop).ConfigureAwait(false) : [];
        return [.. networks.Select(network => Change(InstallChangeKind.Network, network)), Change(InstallChangeKind.Container, container.Name)];
    }

    private static bool IsPast(InstallChange change) => change.Kind is InstallChangeKind.Started or InstallChangeKind.Restarted;

    /// <summary>The networks of the compose project; none where other containers are of it, which could not start without them.</summary>
    private async Task<IReadOnlyList<string>> NetworksAsync(ContainerOrigin origin, ContainerDetails container, CancellationToken stop)
    {
        string[] project = [$"{ContainerOrigin.ProjectLabel}={origin.Project}"];
        var containers = await engine.ListContainersAsync(labels: project, stop: stop).ConfigureAwait(false);
        return containers.Any(other => other.Id != container.Id) ? [] : await engine.ListNetworksAsync(project, stop).ConfigureAwait(false);
    }
}
