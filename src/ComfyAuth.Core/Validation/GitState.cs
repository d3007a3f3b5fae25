namespace ComfyAuth.Validation;

/// <summary>What version control says of a stack's folder. Holds no secret.</summary>
public sealed record GitState
{
    /// <summary>The root of the repository, as a full path; the stack may lie deeper in it.</summary>
    public required string Root { get; init; }

    /// <summary>The branch; null when a commit is checked out by itself.</summary>
    public string? Branch { get; init; }

    /// <summary>The commit, in full; null when there is none yet.</summary>
    public string? Commit { get; init; }

    /// <summary>How many files were changed, added or deleted since, or are not tracked; a folder of which nothing is tracked counts once.</summary>
    public required int DirtyCount { get; init; }

    /// <summary>The newest tag that leads to the commit; null when none does.</summary>
    public string? Tag { get; init; }

    /// <summary>The address of the remote repository without user and password; null when there is none.</summary>
    public string? Remote { get; init; }

    /// <summary>Reads the state. Changes nothing, and runs no program that the repository's configuration names.</summary>
    /// <param name="folder">A folder of the repository.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The state; null when git is not installed, the folder is in no repository, or git refuses it.</returns>
    public static async Task<GitState?> ReadAsync(string folder, CancellationToken stop = default) => (await GitReading.OfAsync(folder, stop).ConfigureAwait(false)).State;
}
