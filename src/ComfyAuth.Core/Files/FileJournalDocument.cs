namespace ComfyAuth.Files;

/// <summary>The journal as it lies on disk: paths and SHA-256 only, parts separated by '/'.</summary>
/// <param name="Version">Of this format.</param>
/// <param name="Id">Sixteen hexadecimal digits, part of the names of the files beside the targets.</param>
/// <param name="Files">What is replaced.</param>
/// <param name="Folders">What is made, outermost first; relative to the root.</param>
internal sealed record FileJournalDocument(
    int Version, string Id, IReadOnlyList<FileJournalDocument.Entry> Files, IReadOnlyList<string> Folders)
{
    /// <summary>One file.</summary>
    /// <param name="Path">As the caller named it, relative to the root.</param>
    /// <param name="Target">Where that leads: relative to the root if inside, else absolute.</param>
    /// <param name="Old">SHA-256 before; null when there was no file.</param>
    /// <param name="New">SHA-256 after; null when the file is deleted.</param>
    internal sealed record Entry(string Path, string Target, string? Old, string? New);
}
