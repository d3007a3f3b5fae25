using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation;

/// <summary>How an installation is wanted.</summary>
public sealed record InstallOptions
{
    /// <summary>The service that is installed; null for the first one behind ComfyUI-Login.</summary>
    public string? Service { get; init; }

    /// <summary>What is left out.</summary>
    public InstallParts Skip { get; init; }

    /// <summary>Whether it works on the processor, without a GPU.</summary>
    public bool Cpu { get; init; }

    /// <summary>Whether what was done stays when a step fails, so that the next run goes on with it.</summary>
    public bool NoRollback { get; init; }

    /// <summary>The port of the host, for files that are laid out; null for that of the stack file or 8188.</summary>
    public int? Port { get; init; }

    /// <summary>The user name of the web login; null to keep the one in use.</summary>
    public string? UserName { get; init; }

    /// <summary>The password of the web login; its hash becomes the token. Null to keep the one in use, or make one where there is none.</summary>
    public SecretText? Password { get; init; }

    /// <summary>The token of the model hub; null to look for one in the usual places. Public files need none.</summary>
    public SecretText? HuggingFaceToken { get; init; }

    /// <summary>Further custom nodes: the address of a git repository, with <c>@</c> and a commit where a certain one is wanted.</summary>
    public IReadOnlyList<string> CustomNodes { get; init; } = [];

    /// <summary>The most that downloads may take together, in bytes a second; null for no limit.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>When to give up waiting for the container; a first start may have to install PyTorch.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The folder that the report is written to; null for <c>.comfyauth/reports</c> of the stack.</summary>
    public string? ReportDirectory { get; init; }
}
