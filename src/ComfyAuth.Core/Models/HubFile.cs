using System.Buffers;
using System.Text.RegularExpressions;

namespace ComfyAuth.Models;

/// <summary>A file of a repository of the model hub.</summary>
public sealed partial record HubFile
{
    private const int LongestPath = 1024;

    private static readonly SearchValues<char> NoPartOfNames = SearchValues.Create("\\:*?\"<>|");

    /// <summary>Names a file.</summary>
    /// <param name="repository">The repository, such as <c>Comfy-Org/Qwen-Image_ComfyUI</c>.</param>
    /// <param name="path">The path in it, with <c>/</c> between its parts.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    /// <exception cref="ComfyAuthException"><c>HubFileInvalid</c>: one of them is none, or leads out of the repository.</exception>
    public HubFile(string repository, string path, string revision = "main")
    {
        if (repository is null || !RepositoryName().IsMatch(repository) || !AreNames(repository))
            throw Invalid($"'{repository}' is no name of a repository of the model hub.", "Give it like Comfy-Org/Qwen-Image_ComfyUI.");
        if (string.IsNullOrEmpty(path) || !AreNames(path))
            throw Invalid($"'{path}' is no path of a file in a repository.", "Give the path below the repository, with '/' between its parts and without '..'.");
        if (string.IsNullOrEmpty(revision) || !AreNames(revision))
            throw Invalid($"'{revision}' is no name of a revision.", "Give a branch, a tag or a commit.");
        (Repository, Path, Revision) = (repository, path, revision);
    }

    /// <summary>The repository, such as <c>Comfy-Org/Qwen-Image_ComfyUI</c>.</summary>
    public string Repository { get; }

    /// <summary>The path in it, with <c>/</c> between its parts.</summary>
    public string Path { get; }

    /// <summary>A branch, a tag or a commit.</summary>
    public string Revision { get; }

    /// <summary>The file's name.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>The repository, the revision unless it is <c>main</c>, and the path.</summary>
    public override string ToString() => Revision == "main" ? $"{Repository}/{Path}" : $"{Repository}@{Revision}/{Path}";

    /// <summary>Where it is got, below the address of a hub.</summary>
    internal Uri At(Uri endpoint) => new(endpoint, $"{Escaped(Repository)}/resolve/{Uri.EscapeDataString(Revision)}/{Escaped(Path)}");

    /// <summary>Whether each part between slashes is the name of a file or folder on every system, and of nothing else.</summary>
    internal static bool AreNames(string path) =>
        path.Length <= LongestPath && path.Split('/').All(part => part is not ("" or "." or "..") && !part.AsSpan().ContainsAny(NoPartOfNames) && !part.Any(char.IsControl));

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static ComfyAuthException Invalid(string message, string remedy) => new("HubFileInvalid", message, remedy);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex RepositoryName();
}
