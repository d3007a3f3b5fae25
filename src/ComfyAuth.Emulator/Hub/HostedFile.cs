namespace ComfyAuth.Emulator.Hub;

/// <summary>A file of a repository on an emulated hub.</summary>
/// <param name="Repository">The repository, such as <c>Comfy-Org/Qwen-Image_ComfyUI</c>.</param>
/// <param name="Path">Its path in the repository, with <c>/</c>.</param>
/// <param name="Content">What it holds.</param>
public sealed record HostedFile(string Repository, string Path, HubContent Content)
{
    /// <summary>The branch that it is in; may hold slashes, as <c>refs/pr/1</c> does.</summary>
    public string Branch { get; init; } = "main";

    /// <summary>The commit of the repository: 40 hexadecimal digits. It can be asked for by this, and by its branch.</summary>
    public string Commit { get; init; } = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>Whether it is given only to a token to whose owner access was granted.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether it lies in the storage, as the large files of the hub do. For others the hub leads to a place of its own.</summary>
    public bool IsStored { get; init; } = true;
}
