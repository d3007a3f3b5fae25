using System.Management.Automation;
using ComfyAuth.Files;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>A cmdlet over stacks: takes paths, finds the stack of each, and lets an error of one spare the others.</summary>
public abstract class StackCmdlet : ComfyCmdlet
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private string? _input;

    /// <summary>A stack's root, or a folder or file inside it; wildcards are allowed. Without it the current location is meant.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Path { get; set; }

    /// <summary>As Path, but taken as it is written: no wildcards. Items of the file system and results of this module are piped to it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [Alias("PSPath", "Stack")]
    public string[]? LiteralPath { get; set; }

    /// <inheritdoc/>
    protected override object? CurrentInput => _input;

    /// <summary>Asks bcrypt, each question once in the pipeline.</summary>
    protected PasswordVerifier Verifier { get; } = new();

    /// <summary>Whether the files are changed, so that what an interrupted change left is put back first.</summary>
    protected abstract bool Changes { get; }

    /// <summary>Whether a stack was left out, or not done with: an error was reported in its place, or what had to come first was declined.</summary>
    protected bool IsIncomplete { get; private set; }

    /// <inheritdoc/>
    protected sealed override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // A piped object that tells its path binds to both: to Path by its text, which is no path or has wildcards in it.
        var isItem = MyInvocation.ExpectingInput && LiteralPath is not null;
        IEnumerable<(string? Path, bool Literal)> given =
        [
            .. (isItem ? [] : Path ?? []).Select(path => ((string?)path, false)),
            .. (LiteralPath ?? []).Select(path => ((string?)path, true)),
        ];
        foreach (var (path, literal) in given.Any() ? given : [(null, true)])
        {
            try
            {
                _input = path;
                foreach (var folder in await pipe.AskAsync(cmdlet => Resolve(cmdlet, path, literal)))
                {
                    stop.ThrowIfCancellationRequested();
                    await ProcessFolderAsync(pipe, folder, stop);
                }
            }
            catch (ComfyAuthException error)
            {
                IsIncomplete = true;
                pipe.WriteError(error, path);
            }
        }
    }

    /// <summary>Does the work for one stack.</summary>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="stack">The stack; each comes once, however many paths lead to it.</param>
    /// <param name="stop">Cancelled when the pipeline is being stopped.</param>
    /// <returns>The work.</returns>
    protected abstract Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop);

    /// <summary>Finds the stack that a path leads to.</summary>
    /// <param name="folder">A folder or file.</param>
    /// <returns>The stack.</returns>
    /// <exception cref="ComfyAuthException">There is none.</exception>
    protected virtual GenAIStack Find(string folder) => GenAIStack.Find(folder);

    /// <summary>Takes a path out of what was given.</summary>
    /// <param name="cmdlet">The cmdlet, on the pipeline thread.</param>
    /// <param name="path">As it was given; null for the current location.</param>
    /// <param name="literal">Whether wildcards stand for themselves.</param>
    /// <returns>Full paths.</returns>
    protected virtual IReadOnlyList<string> Resolve(PSCmdlet cmdlet, string? path, bool literal) => FileSystemPath.Resolve(cmdlet, path, literal);

    /// <summary>What comes once only: the stack, unless a cmdlet takes parts of it from the pipeline.</summary>
    /// <param name="stack">The stack that the current input leads to.</param>
    protected virtual string KeyOf(GenAIStack stack) => stack.Root;

    /// <summary>Applies what is agreed to of a plan. Under <c>-WhatIf</c> each change is named, none is made, and there is no result.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <param name="changes">The plan's changes.</param>
    /// <param name="apply">Applies the plan, asking what it is given about each change.</param>
    /// <returns>The result; null under <c>-WhatIf</c>.</returns>
    protected static async Task<T?> ApplyAsync<T>(CmdletPipe pipe, IReadOnlyList<PlannedChange> changes, Func<Func<PlannedChange, Task<bool>>, Task<T>> apply)
        where T : class
    {
        if (!await pipe.AskAsync(WhatIf.IsOn))
            return await apply(change => pipe.ShouldProcessAsync(change.Target, change.Action));

        foreach (var change in changes)
            await pipe.ShouldProcessAsync(change.Target, change.Action);
        return null;
    }

    /// <summary>A logger to the verbose and debug streams.</summary>
    /// <param name="pipe">The way to PowerShell.</param>
    /// <returns>The logger.</returns>
    protected static ILogger Logger(CmdletPipe pipe) => pipe.Loggers.CreateLogger("ComfyAuth");

    private async Task ProcessFolderAsync(CmdletPipe pipe, string folder, CancellationToken stop)
    {
        try
        {
            _input = folder;
            var stack = Find(folder);
            if (!_seen.Add(KeyOf(stack)))
                return;

            if (Changes && Directory.Exists(stack.Root) && FileTransaction.IsRecoveryPending(stack.Root))
            {
                if (!await pipe.ShouldProcessAsync(stack.Root, "Put back what an interrupted change left"))
                {
                    IsIncomplete = true;
                    return;
                }

                await FileTransaction.RecoverAsync(stack.Root, new() { Logger = Logger(pipe) }, stop);
            }

            await ProcessStackAsync(pipe, stack, stop);
        }
        catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException)
        {
            IsIncomplete = true;
            pipe.WriteError(error, folder);
        }
    }
}
