using System.IO.Enumeration;

namespace ComfyAuth.Stacks;

/// <summary>A root folder and what stands in it.</summary>
public sealed record GenAIStack
{
    /// <summary>The name of the stack file.</summary>
    public const string FileName = "comfyauth.yml";

    /// <summary>The root folder, as a full path.</summary>
    public required string Root { get; init; }

    /// <summary>What the stack consists of.</summary>
    public required StackDefinition Definition { get; init; }

    /// <summary>The stack file that was read; null when the built-in defaults serve.</summary>
    public string? DefinitionPath { get; init; }

    /// <summary>The full path of a file of the stack.</summary>
    /// <param name="relativePath">A path of the definition, relative to the root.</param>
    /// <returns>The full path, with the platform's separators.</returns>
    public string PathOf(string relativePath) => Path.GetFullPath(relativePath, Root);

    /// <summary>Finds the stack that a folder belongs to: the folder itself, or the nearest one above it.</summary>
    /// <param name="start">A folder, or a file in it.</param>
    /// <returns>The stack.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>PathNotFound</c>: there is no such folder or file; <c>StackNotFound</c>: no folder on the way up is a stack;
    /// or what <see cref="StackFile.Parse"/> reports of the stack file.
    /// </exception>
    public static GenAIStack Find(string start)
    {
        var full = Path.GetFullPath(start);
        if (File.Exists(full))
            full = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(full))
            throw new ComfyAuthException("PathNotFound", $"There is no folder '{full}'.", "Give the root folder of a stack, or a folder inside it.");

        // A trailing separator would make the first step upwards lead to the same folder.
        for (var folder = Path.TrimEndingDirectorySeparator(full); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (IsRoot(folder))
                return Open(folder);
        }

        throw new ComfyAuthException(
            "StackNotFound",
            $"Neither '{full}' nor any folder above it is a stack: none holds {FileName}, {DefaultLayout.Source} or {DefaultLayout.QwenFolders[0]}.",
            $"Go to the stack's folder or name it; to make one, put a {FileName} at its root.");
    }

    /// <summary>Whether a folder is the root of a stack.</summary>
    internal static bool IsRoot(string folder) =>
        File.Exists(Path.Combine(folder, FileName))
        || File.Exists(Path.Combine(folder, DefaultLayout.Source))
        || DefaultLayout.QwenFolders.Any(qwen => Directory.Exists(Path.Combine(folder, qwen)));

    private static GenAIStack Open(string root)
    {
        var file = Path.Combine(root, FileName);
        return File.Exists(file)
            ? new GenAIStack { Root = root, Definition = StackFile.Read(file), DefinitionPath = file }
            : new GenAIStack { Root = root, Definition = DefaultLayout.Describe(root) };
    }

    /// <summary>Picks services by name.</summary>
    /// <param name="names">Names to pick, in any case; empty for all services.</param>
    /// <returns>The services, in the definition's order.</returns>
    /// <exception cref="ComfyAuthException"><c>ServiceNotFound</c>: the stack has no service of that name.</exception>
    public IReadOnlyList<ServiceDefinition> SelectServices(IReadOnlyCollection<string>? names)
    {
        if (names is null or { Count: 0 })
            return Definition.Services;

        var known = Definition.Services.Select(service => service.Name).ToList();
        foreach (var name in names.Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            throw new ComfyAuthException(
                "ServiceNotFound",
                $"The stack '{Root}' has no service '{name}'.",
                $"{NearestName.Suggest(name, known)}Its services are {string.Join(", ", known)}.");
        }

        return [.. Definition.Services.Where(service => names.Contains(service.Name, StringComparer.OrdinalIgnoreCase))];
    }

    /// <summary>Picks services by their own names and by those of their containers; what is picked is in both.</summary>
    /// <param name="names">Names of services to pick, in any case; empty for all services.</param>
    /// <param name="containers">Names of containers to pick, in any case; empty for all. With a wildcard in it a name is a pattern, which may match none.</param>
    /// <param name="isMatch">Whether a pattern, the first argument, with <c>*</c>, <c>?</c> or <c>[</c> in it, matches a name; null for <c>*</c> and <c>?</c> alone.</param>
    /// <returns>The services, in the definition's order.</returns>
    /// <exception cref="ComfyAuthException"><c>ServiceNotFound</c>; <c>ContainerNotFound</c>: none of these services has a container of that name.</exception>
    public IReadOnlyList<ServiceDefinition> SelectServices(IReadOnlyCollection<string>? names, IReadOnlyCollection<string>? containers, Func<string, string, bool>? isMatch = null)
    {
        var services = SelectServices(names);
        if (containers is null or { Count: 0 })
            return services;

        var wildcards = isMatch is null ? "*?" : "*?[";
        isMatch ??= (pattern, name) => FileSystemName.MatchesSimpleExpression(pattern, name);
        var known = services.Select(service => service.Container).ToList();
        foreach (var name in containers.Where(name => name.AsSpan().IndexOfAny(wildcards) < 0 && !known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            throw new ComfyAuthException(
                "ContainerNotFound",
                $"No {(names is { Count: > 0 } ? "chosen " : "")}service of '{Root}' has a container '{name}'.",
                $"{NearestName.Suggest(name, known)}Their containers are {string.Join(", ", known)}.");
        }

        return [.. services.Where(service => containers.Any(name => name.Equals(service.Container, StringComparison.OrdinalIgnoreCase) || isMatch(name, service.Container)))];
    }
}
