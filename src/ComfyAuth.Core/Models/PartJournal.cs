namespace ComfyAuth.Models;

/// <summary>What is written beside an unfinished download.</summary>
/// <param name="Version">The version of this form.</param>
/// <param name="Source">Where the file comes from.</param>
/// <param name="Tag">What tells the content from another under the same name.</param>
/// <param name="Size">The size of the whole in bytes.</param>
/// <param name="Done">Pairs of the first byte that is there and the one after the last: these bytes are on the disk.</param>
/// <param name="Sha256">The SHA-256 of the whole when all of it is there and was hashed; else null.</param>
/// <param name="ModifiedAt">When the finished part was last written.</param>
internal sealed record PartJournal(int Version, string? Source, string? Tag, long Size, long[][]? Done, string? Sha256 = null, DateTime? ModifiedAt = null)
{
    public const int CurrentVersion = 1;
}
