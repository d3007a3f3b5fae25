namespace ComfyAuth.Files;

/// <summary>One file that a transaction replaces, makes or deletes, and the files of ours that lie beside it meanwhile.</summary>
/// <param name="Path">As the caller named it, relative to the root.</param>
/// <param name="Target">Where that leads once links are followed.</param>
/// <param name="Old">SHA-256 before; null when there was no file.</param>
/// <param name="New">SHA-256 after; null when the file is deleted.</param>
/// <param name="Companion">Start of the names of our files beside the target.</param>
internal sealed record FileReplacement(string Path, string Target, string? Old, string? New, string Companion)
{
    /// <summary>The new content, complete before the target is touched.</summary>
    public string Staged => Companion + ".new";

    /// <summary>
    /// The old file (the same inode, where hard links are possible); empty when there was none.
    /// Nothing is ever undone without it: it is the proof that this transaction was at work here.
    /// </summary>
    public string Backup => Companion + ".old";

    /// <summary>A copy on its way to become the backup.</summary>
    public string PartialBackup => Companion + ".tmp";

    public string Folder => System.IO.Path.GetDirectoryName(Target)!;
}
