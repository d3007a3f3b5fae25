namespace ComfyAuth.Containers;

/// <summary>A program that installs or downloads, as the list of processes shows it.</summary>
/// <param name="Tool">The program.</param>
/// <param name="Package">What it is at; null when its arguments do not tell.</param>
internal sealed record InstallProcess(string Tool, string? Package)
{
    private const int LongestCommand = 4096, NamedPackages = 3;

    private static readonly Dictionary<string, string[]> Verbs = new(StringComparer.Ordinal)
    {
        ["pip"] = ["install", "download", "wheel"],
        ["uv"] = ["install", "sync", "add", "pip", "venv", "python"],
        ["git"] = ["clone", "fetch", "pull", "checkout", "lfs", "submodule", "index-pack"],
        ["apt"] = ["install", "update", "upgrade"],
        ["apt-get"] = ["install", "update", "upgrade", "dist-upgrade"],
        ["apk"] = ["add", "update"],
        ["conda"] = ["install", "create", "update", "env"],
        ["mamba"] = ["install", "create", "update", "env"],
        ["micromamba"] = ["install", "create", "update", "env"],
        ["hf"] = ["download"],
        ["huggingface-cli"] = ["download"],
        ["comfy"] = ["install", "download", "node", "model"],
    };

    /// <summary>Programs that do nothing else.</summary>
    private static readonly HashSet<string> Downloaders = new(StringComparer.Ordinal) { "wget", "curl", "aria2c", "dpkg", "git-remote-https", "git-remote-http", "git-lfs" };

    private static readonly HashSet<string> Builders = new(StringComparer.Ordinal) { "ninja", "nvcc", "cicc", "ptxas", "cc1", "cc1plus", "cargo", "rustc" };

    private static readonly HashSet<string> OptionsWithValue = new(StringComparer.Ordinal)
    {
        "-c", "-i", "-t", "-f", "-o", "-O", "-b", "--branch", "--depth", "--index-url", "--extra-index-url", "--find-links", "--target", "--cache-dir", "--prefix", "--constraint", "--output", "--local-dir", "--revision", "-P", "--directory-prefix", "-H", "--header", "-d", "--dir",
    };

    /// <summary>Recognises one; null for every other command. A shell is none: its line names what it will run, its children what runs.</summary>
    public static InstallProcess? Of(string command)
    {
        var words = (command.Length > LongestCommand ? command[..LongestCommand] : command).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var at = 0;
        if (words.Length > 1 && Name(words[0]).StartsWith("python", StringComparison.Ordinal))
        {
            at = 1;
            while (at < words.Length - 1 && words[at].StartsWith('-'))
                at++;
        }

        if (at >= words.Length)
            return null;
        var tool = Name(words[at]);
        if (tool.StartsWith("pip", StringComparison.Ordinal) && tool.AsSpan(3).Trim("0123456789.").IsEmpty)
            tool = "pip";
        var arguments = words[(at + 1)..];

        if (Builders.Contains(tool))
            return new(tool, null);
        if (Downloaders.Contains(tool))
        {
            var address = arguments.LastOrDefault(word => word.Contains("://", StringComparison.Ordinal));
            return address is null ? tool == "dpkg" ? new(tool, null) : null : IsOwn(address) ? null : new(tool, NameIn(address));
        }

        if (!Verbs.TryGetValue(tool, out var verbs))
            return null;
        var verb = Array.FindIndex(arguments, word => !word.StartsWith('-'));
        if (verb < 0 || !verbs.Contains(arguments[verb]))
            return null;
        var rest = arguments[(verb + 1)..];
        if (tool == "uv" && rest is ["install" or "sync", ..])
            rest = rest[1..];
        var named = rest.Where((word, index) => !word.StartsWith('-') && (index == 0 || !OptionsWithValue.Contains(rest[index - 1]))).Select(NameIn).ToList();
        if (tool == "git")
            named = [.. named.Take(1)];
        return new(tool, named.Count == 0 ? null : List(named));
    }

    /// <summary>A list of names, of which only the first are told.</summary>
    public static string List(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(NamedPackages)) + (names.Count > NamedPackages ? $" and {names.Count - NamedPackages} more" : "");

    /// <summary>The name at the end of an address or a path, without what follows it there.</summary>
    public static string NameIn(string address)
    {
        var end = address.IndexOfAny(['?', '#']);
        var path = (end < 0 ? address : address[..end]).TrimEnd('/');
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name.EndsWith(".git", StringComparison.Ordinal) ? name[..^4] : name;
    }

    // A healthcheck asks the container itself.
    private static bool IsOwn(string address) => Uri.TryCreate(address.Trim('\'', '"'), UriKind.Absolute, out var uri) && (uri.IsLoopback || uri.Host == "0.0.0.0");

    private static string Name(string program)
    {
        var name = program[(program.LastIndexOf('/') + 1)..];
        return name.EndsWith(':') ? name[..^1] : name;
    }
}
