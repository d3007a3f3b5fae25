using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Installation;

/// <summary>
/// Installs ComfyUI with ComfyUI-Login and the Qwen models, step by step. What is as it should be is left alone. A run that was
/// interrupted is gone on with by the next; what a run that failed has changed is taken back, in reverse.
/// </summary>
/// <param name="engine">The engine that the container runs in.</param>
/// <param name="deployer">Makes the container.</param>
/// <param name="redactor">Learns and hides the secrets.</param>
/// <param name="verifier">Asks bcrypt.</param>
/// <param name="logger">Is told what is done; null for nobody.</param>
/// <param name="clock">Null for the system's.</param>
public sealed class Installer(
    DockerClient engine, IContainerDeployer deployer, SecretRedactor redactor, PasswordVerifier verifier, ILogger? logger = null, TimeProvider? clock = null)
{
    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Where the model hub is; null for <c>HF_ENDPOINT</c>, or else huggingface.co.</summary>
    public Uri? HubEndpoint { get; init; }

    /// <summary>How long to wait for another installation of the same stack.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Is told of each moment; for tests, which interrupt it there.</summary>
    internal Func<InstallStepName, InstallMoment, Task>? AtMoment { get; init; }

    /// <summary>Is told before and after each time that the journal is written; for tests, which kill the process there.</summary>
    internal Action? AtJournal { get; init; }

    /// <summary>The steps, in their order.</summary>
    internal IReadOnlyList<InstallStep> Steps { get; init; } =
        [new PrerequisitesStep(), new ContainerStep(), new LoginStep(), new ModelsStep(), new AuthenticationStep(), new TestImageStep()];

    /// <summary>Finds the stack that is installed into: the folder's own or the nearest above it, or else the folder as a new one.</summary>
    /// <param name="folder">A folder, which need not exist.</param>
    /// <exception cref="ComfyAuthException">What is wrong with the stack file, or <c>PathNotFound</c>: a file stands there.</exception>
    public static GenAIStack StackAt(string folder)
    {
        var full = Path.GetFullPath(folder);
        try
        {
            if (Directory.Exists(full))
                return GenAIStack.Find(full);
        }
        catch (ComfyAuthException error) when (error.Code == "StackNotFound")
        {
            // What is laid out makes it one.
        }

        if (File.Exists(full))
            throw new ComfyAuthException("PathNotFound", $"'{full}' is a file.", "Give the folder to install into.");
        return new() { Root = Path.TrimEndingDirectorySeparator(full), Definition = DefaultLayout.Describe(full) };
    }

    /// <summary>Installs.</summary>
    /// <param name="stack">The stack, of <see cref="StackAt"/>.</param>
    /// <param name="options">How it is wanted.</param>
    /// <param name="approve">Asked before each change; null approves all.</param>
    /// <param name="finished">Is told each step as it ends.</param>
    /// <param name="progress">Is told how far it is, from several threads; null when nobody listens.</param>
    /// <param name="stop">Ends the work; what was done stays, and the next run goes on with it.</param>
    /// <returns>What came of it; a step that fails is told there, and thrown by nobody.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>LockTimeout</c>: another installation is at work; <c>InstallJournalUnreadable</c>; <c>ServiceNotFound</c>; or an interrupted
    /// run cannot be taken back.
    /// </exception>
    public async Task<InstallReport> RunAsync(
        GenAIStack stack,
        InstallOptions options,
        Func<PlannedChange, Task<bool>>? approve,
        Action<StepResult> finished,
        IProgress<InstallProgress>? progress,
        CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(finished);
        ServiceOf(stack, options);
        FileErrors.On(stack.Root, () => Directory.CreateDirectory(stack.Root));
        OwnerOnlyFile.EnsureFolder(FileJournal.StateFolder(stack.Root));
        using var held = await FileLock.AcquireAsync(InstallJournal.LockOf(stack.Root), LockTimeout, _logger, stop).ConfigureAwait(false);
        return await RunOf(stack, options, finished, progress).DoAsync(approve, stop).ConfigureAwait(false);
    }

    /// <summary>Tells what an installation would do; changes nothing.</summary>
    /// <param name="stack">The stack, of <see cref="StackAt"/>.</param>
    /// <param name="options">How it is wanted.</param>
    /// <param name="planned">Is told each change.</param>
    /// <param name="finished">Is told each step as it ends.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What would be done, as far as it can be told before the steps that come first are done.</returns>
    /// <exception cref="ComfyAuthException"><c>InstallJournalUnreadable</c>; <c>ServiceNotFound</c>.</exception>
    public Task<InstallReport> PlanAsync(GenAIStack stack, InstallOptions options, Func<PlannedChange, Task> planned, Action<StepResult> finished, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(planned);
        ArgumentNullException.ThrowIfNull(finished);
        return RunOf(stack, options, finished, null).PlanAsync(planned, stop);
    }

    /// <summary>The service that is installed.</summary>
    internal static ServiceDefinition ServiceOf(GenAIStack stack, InstallOptions options) =>
        options.Service is { } name ? stack.SelectServices([name])[0]
        : stack.Definition.Services.FirstOrDefault(service => service.Auth == AuthKind.ComfyUILogin)
        ?? throw new ComfyAuthException("ServiceNotFound", $"The stack '{stack.Root}' has no service behind ComfyUI-Login.", $"Name the service to install; its services are {string.Join(", ", stack.Definition.Services.Select(service => service.Name))}.");

    private InstallRun RunOf(GenAIStack stack, InstallOptions options, Action<StepResult> finished, IProgress<InstallProgress>? progress)
    {
        if (options.HuggingFaceToken is { } token)
            redactor.Register(token);
        if (options.Password is { } password)
            redactor.Register(password);
        var tell = new StepProgress(progress, redactor);
        return new(Steps, tell, finished, _clock, AtMoment, options.Skip, new()
        {
            Stack = stack,
            Options = options,
            Engine = engine,
            Deployer = deployer,
            Redactor = redactor,
            Verifier = verifier,
            Journal = InstallJournal.Read(stack.Root, _clock, AtJournal),
            Logger = _logger,
            Tell = tell.Tell,
            HubEndpoint = HubEndpoint,
        });
    }
}
