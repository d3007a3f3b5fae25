namespace ComfyAuth.Validation;

/// <summary>What git says of a folder, or why it says nothing.</summary>
internal sealed record GitReading
{
    /// <summary>The state; null where there is none.</summary>
    public GitState? State { get; init; }

    /// <summary>Files that differ from the commit, of many the first, relative to the folder.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>Asks more; null where there is no repository.</summary>
    public GitCommand? Command { get; init; }

    /// <summary>Why there is no state.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether there is a repository that could not be read.</summary>
    public bool IsError { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Remedy { get; init; }

    private const int MostChanges = 50;

    /// <summary>Reads the state of the repository that a folder lies in.</summary>
    public static async Task<GitReading> OfAsync(string folder, CancellationToken stop)
    {
        if (GitCommand.Find(folder) is not { } git)
            return new() { Reason = "Git is not installed." };

        var top = await git.AskAsync(["rev-parse", "--show-toplevel"], stop).ConfigureAwait(false);
        if (top.First is not { } root)
            return Refused(folder, top);
        if (!await git.ForgoFiltersAsync(stop).ConfigureAwait(false))
            return new() { Reason = "The repository's configuration names filters that cannot be left out, so its files were not compared.", IsError = true };

        var status = await git.AskAsync(["status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--ignore-submodules=all", "--no-renames"], stop).ConfigureAwait(false);
        if (status.ExitCode != 0)
            return Refused(folder, status);
        var tag = await git.AskAsync(["describe", "--tags", "--abbrev=0"], stop).ConfigureAwait(false);
        var changes = status.Lines.Where(line => line[0] != '#').ToList();
        return new()
        {
            Command = git,
            Changes = [.. changes.Take(MostChanges).Select(PathIn)],
            State = new()
            {
                Root = Path.GetFullPath(root),
                Branch = Header("# branch.head ") is { } head and not "(detached)" ? head : null,
                Commit = Header("# branch.oid ") is { } commit and not "(initial)" ? commit : null,
                DirtyCount = changes.Count,
                Tag = tag.First,
                Remote = await RemoteAsync(git, stop).ConfigureAwait(false),
            },
        };

        string? Header(string name) => status.Lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
    }

    /// <summary>An address without user, password and query, any of which may be a secret; the user of <c>git@host:path</c> is none.</summary>
    internal static string? WithoutCredentials(string? address)
    {
        if (address is null)
            return null;

        var scheme = address.IndexOf("://", StringComparison.Ordinal);

        // In helper::words, any word may be a secret of the helper's.
        if (address.AsSpan(0, scheme < 0 ? address.Length : scheme).Contains("::", StringComparison.Ordinal))
            return null;
        if (scheme < 0)
        {
            var end = address.LastIndexOf('@');
            return end < 0 || address.StartsWith("git@", StringComparison.Ordinal) || address.AsSpan(0, end).Contains('/') ? address : address[(end + 1)..];
        }

        return Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? uri.GetComponents(UriComponents.Scheme | UriComponents.Host | UriComponents.Port | UriComponents.Path, UriFormat.UriEscaped)
            : null;
    }

    private static async Task<string?> RemoteAsync(GitCommand git, CancellationToken stop)
    {
        var name = "origin";
        var remotes = await git.AskAsync(["remote"], stop).ConfigureAwait(false);
        if (!remotes.Lines.Contains(name))
            name = remotes.First;
        if (name is null)
            return null;
        var address = await git.AskAsync(["config", "--get", $"remote.{name}.url"], stop).ConfigureAwait(false);
        return WithoutCredentials(address.First);
    }

    private static GitReading Refused(string folder, GitAnswer answer)
    {
        if (answer.ExitCode == GitAnswer.NotStarted)
            return new() { Reason = answer.Error };
        if (answer.Error.Contains("not a git repository", StringComparison.OrdinalIgnoreCase) || answer.Error.Contains("must be run in a work tree", StringComparison.OrdinalIgnoreCase))
            return new() { Reason = $"'{folder}' is in no git repository." };
        return answer.Error.Contains("dubious ownership", StringComparison.OrdinalIgnoreCase) || answer.Error.Contains("unsafe repository", StringComparison.OrdinalIgnoreCase)
            ? new() { Reason = $"Git refuses the repository of '{folder}', because it belongs to another account.", IsError = true, Remedy = $"Run this as its owner; or, if you trust it, run: git config --global --add safe.directory \"{folder}\"" }
            : new() { Reason = $"Git cannot read the repository of '{folder}': {answer.Error}", IsError = true, Remedy = "See what 'git status' says there." };
    }

    /// <summary>The path of a line of <c>git status --porcelain=v2</c>, with what became of it.</summary>
    private static string PathIn(string line)
    {
        const int fieldsOfChange = 9;
        const int fieldsOfConflict = 11;
        return line[0] switch
        {
            '?' => $"{line[2..]}: not tracked",
            'u' when line.Split(' ', fieldsOfConflict) is { Length: fieldsOfConflict } fields => $"{fields[^1]}: in conflict",
            '1' when line.Split(' ', fieldsOfChange) is { Length: fieldsOfChange } fields => $"{fields[^1]}: {(fields[1].Contains('D', StringComparison.Ordinal) ? "deleted" : fields[1].Contains('A', StringComparison.Ordinal) ? "added" : "changed")}",
            _ => line,
        };
    }
}
