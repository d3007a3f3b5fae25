using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Installation;

/// <summary>What the steps of one installation share.</summary>
internal sealed class InstallContext
{
    /// <summary>The root of the stack, as a full path.</summary>
    public string Root => Stack.Root;

    /// <summary>The stack; read anew once its files are laid out.</summary>
    public required GenAIStack Stack { get; set; }

    /// <summary>Whether a container was started by somebody else, so that it may be in use.</summary>
    /// <param name="container">Its name.</param>
    public bool IsInUse(string container) =>
        !Journal.Changes.Any(change => change.Run == Journal.Run && change.Target == container && change.Kind is InstallChangeKind.Container or InstallChangeKind.Started);

    /// <summary>The service that is installed.</summary>
    public ServiceDefinition Service => Installer.ServiceOf(Stack, Options);

    /// <summary>How it is wanted.</summary>
    public required InstallOptions Options { get; init; }

    /// <summary>The engine.</summary>
    public required DockerClient Engine { get; init; }

    /// <summary>Makes the container.</summary>
    public required IContainerDeployer Deployer { get; init; }

    /// <summary>Learns and hides the secrets.</summary>
    public required SecretRedactor Redactor { get; init; }

    /// <summary>Asks bcrypt.</summary>
    public required PasswordVerifier Verifier { get; init; }

    /// <summary>Is told how each change is undone, before it is made.</summary>
    public required InstallJournal Journal { get; init; }

    /// <summary>Is told what is done.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Tells how far the step is: what it is at, how much is done, and of how much.</summary>
    public required Action<string, long, long?> Tell { get; init; }

    /// <summary>Where ComfyUI lies in the container, as an absolute path without a slash at its end; null until somebody has found it.</summary>
    public string? ComfyFolder { get; set; }

    /// <summary>Where the model hub is; null for the usual place.</summary>
    public Uri? HubEndpoint { get; init; }

    /// <summary>Notes the folders that come into being with a file, the outermost first.</summary>
    /// <param name="folder">The folder of the file.</param>
    public void NoteFolders(string folder)
    {
        // A link leads to another disk, where an empty folder does no harm.
        if (Directory.Exists(folder) || RealPath.Inside(RealPath.Of(Root), RealPath.Of(folder)) is null)
            return;
        NoteFolders(Path.GetDirectoryName(folder)!);
        Journal.Note(InstallChangeKind.Folder, folder);
    }
}
