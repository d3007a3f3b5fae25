using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Files;

/// <summary>How a <see cref="FileTransaction"/> waits and what it tells about it.</summary>
public sealed record FileTransactionOptions
{
    /// <summary>How long to wait for another transaction on the same root; 30 seconds unless set.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Is told what is waited for and what was recovered; silent unless set.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>
    /// Is told each file before anything is changed, relative to the root, and the digest of what it is about to become; null where it is
    /// removed. What it throws ends the commit.
    /// </summary>
    internal Action<string, string?>? Keep { get; init; }

    // Tests fail, cancel or kill the process here, at each step.
    internal Action<string>? BeforeStep { get; init; }

    // Tests take the way of a file system without hard links.
    internal bool WithoutHardLinks { get; init; }
}
