namespace ComfyAuth.Emulator.Hub;

/// <summary>A file of a repository on an emulated hub.</summary>
/// <param name="Repository">The repository, such as <c>Comfy-Org/Qwen-Image_ComfyUI</c>.</param>
/// <param name="Path">Its path in the repository, with <c>/</c>.</param>
/// <param name="Content">What it holds.</param>
public sealed record HostedFile(string Repository, string Path, HubContent Content)
{
    /// <summary>The commit of the repository: 40 hexadecimal digits. It can be asked for by this, and as <c>main</c>.</summary>
    public string Commit { get; init; } = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>Whether it is given only to a token to whose owner access was granted.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether it lies in the storage, as the large files of the hub do. Others the hub serves itself.</summary>
    public bool IsStored { get; init; } = true;
}
