namespace ComfyAuth.Models;

/// <summary>What a hub says of a file, and where the file lies.</summary>
/// <param name="Address">Where it lies; may be signed, so it is never shown whole.</param>
/// <param name="IsStored">Whether that is another place than the hub itself, one whose addresses expire.</param>
/// <param name="Size">Its size in bytes; null where nobody says.</param>
/// <param name="Tag">What tells this content from another under the same name; null where nobody says.</param>
/// <param name="Sha256">Its SHA-256, where the hub names it; the tag then.</param>
/// <param name="ServerTag">The entity tag of the server at the address; null: it has not answered, or has none.</param>
internal sealed record RemoteFile(Uri Address, bool IsStored, long? Size, string? Tag, string? Sha256, string? ServerTag);
