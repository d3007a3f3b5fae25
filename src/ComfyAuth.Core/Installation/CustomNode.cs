using System.Text.RegularExpressions;

namespace ComfyAuth.Installation;

/// <summary>A custom node of ComfyUI: a git repository in its folder <c>custom_nodes</c>.</summary>
/// <param name="Name">The name of its folder.</param>
/// <param name="Address">Where it is cloned from.</param>
/// <param name="Commit">The commit, or the beginning of its name, in lower-case hexadecimal; null for the newest.</param>
internal sealed partial record CustomNode(string Name, string Address, string? Commit)
{
    private static readonly string[] Schemes = ["https", "ssh", "git"];

    /// <summary>ComfyUI-Login at its pinned commit.</summary>
    public static CustomNode Login { get; } = new("ComfyUI-Login", "https://github.com/liusida/ComfyUI-Login.git", DeploymentTemplates.LoginCommit);

    /// <summary>Reads an address, with <c>@</c> and a commit behind it or without.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ComfyAuthException"><c>CustomNodeInvalid</c>.</exception>
    public static CustomNode Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);

        // A user name stands before the last slash, a commit behind it.
        var at = text.LastIndexOf('@');
        var (address, commit) = at > text.LastIndexOf('/') ? (text[..at], text[(at + 1)..]) : (text, null);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || !Schemes.Contains(uri.Scheme) || !HostName().IsMatch(uri.Host) || address.Any(letter => letter is <= ' ' or > '~' or '\\'))
            throw Invalid("it is no https, ssh or git address of a repository");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Contains(':', StringComparison.Ordinal) || (uri.UserInfo.Length > 0 && (uri.Scheme != "ssh" || uri.UserInfo[0] == '-')))
            throw Invalid("it holds more than a host and a path, which may be a secret");
        if (commit is not null && !CommitName().IsMatch(commit))
            throw Invalid("what stands behind the @ is no commit");

        var name = uri.AbsolutePath.TrimEnd('/');
        name = name[(name.LastIndexOf('/') + 1)..];
        if (name.EndsWith(".git", StringComparison.OrdinalIgnoreCase))
            name = name[..^4];
        if (!IsName(name))
            throw Invalid("its last part makes no name of a folder");
        return new(name, address, commit?.ToLowerInvariant());

        // The text itself may hold a secret.
        ComfyAuthException Invalid(string why) => new("CustomNodeInvalid", $"The address of a custom node cannot be used: {why}.", "Give it like https://github.com/owner/name, with @ and a commit of 7 to 40 hexadecimal digits behind it or without.");
    }

    /// <summary>Whether a folder of <c>custom_nodes</c> may be called so.</summary>
    public static bool IsName(string name) => FolderName().IsMatch(name) && !name.EndsWith(".disabled", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a commit is the one that is wanted.</summary>
    public bool IsAt(string commit) => Commit is null || commit.StartsWith(Commit, StringComparison.Ordinal);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex FolderName();

    [GeneratedRegex(@"\A[A-Za-z0-9\[][A-Za-z0-9.:\]_-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A[0-9A-Fa-f]{7,40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex CommitName();
}
