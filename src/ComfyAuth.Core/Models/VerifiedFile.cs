namespace ComfyAuth.Models;

/// <summary>What is remembered of a file that was verified.</summary>
/// <param name="Size">Its size in bytes.</param>
/// <param name="ModifiedAt">When it was last written.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="Source">Where it was loaded from; null: nobody knows.</param>
/// <param name="Tag">What the hub called this content; null: nobody knows.</param>
internal sealed record VerifiedFile(long Size, DateTime ModifiedAt, string Sha256, string? Source = null, string? Tag = null);
