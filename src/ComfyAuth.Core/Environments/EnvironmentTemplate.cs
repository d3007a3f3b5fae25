using System.Text;
using ComfyAuth.DotEnv;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Environments;

/// <summary>The template of a <c>.env</c> file: which variables, in which sections, with which comments and defaults.</summary>
internal sealed class EnvironmentTemplate
{
    private const string BuiltIn = "ComfyAuth.Environments.comfyui-login.env.example";

    private readonly string[] _lines;
    private readonly List<(string Name, int Line, int Section)> _variables = [];

    private EnvironmentTemplate(DotEnvDocument document)
    {
        Document = document;
        _lines = Encoding.UTF8.GetString(document.ToBytes()).ReplaceLineEndings("\n").Split('\n');

        // A blank line ends a section.
        foreach (var entry in document.Entries)
            _variables.Add((entry.Name, entry.Line, _lines.Take(entry.Line).Count(string.IsNullOrWhiteSpace)));
    }

    /// <summary>The template as a document.</summary>
    public DotEnvDocument Document { get; }

    /// <summary>The template that the stack names, else the built-in one; null for a service that has neither.</summary>
    public static EnvironmentTemplate? For(ServiceDefinition service, StackFiles files)
    {
        if (service.Environment!.Template is { } path && EnvironmentValidator.Load(files, path) is { Bytes: not null } file)
            return new(file.Document);
        if (service.Auth != AuthKind.ComfyUILogin)
            return null;

        using var stream = typeof(EnvironmentTemplate).Assembly.GetManifestResourceStream(BuiltIn)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new(DotEnvDocument.Parse(bytes, BuiltIn));
    }

    /// <summary>Where a person would look for a variable: below its nearest neighbour of the same section, else of those before.</summary>
    public string? Neighbour(string name, DotEnvDocument document)
    {
        var index = _variables.FindIndex(variable => variable.Name == name);
        if (index < 0)
            return null;

        var present = document.Entries.Select(entry => entry.Name).ToHashSet();
        var before = _variables.Take(index).Reverse().Where(variable => present.Contains(variable.Name)).ToList();
        var section = _variables[index].Section;
        var near = before.Concat(_variables.Skip(index + 1).Where(variable => present.Contains(variable.Name))).FirstOrDefault(variable => variable.Section == section);
        return near.Name ?? (before is [var last, ..] ? last.Name : null);
    }

    /// <summary>The comment lines right above a variable; a section's own title is not among them.</summary>
    public IReadOnlyList<string> CommentsAbove(string name)
    {
        var variable = _variables.Find(variable => variable.Name == name);
        return variable.Name is null ? [] :
        [
            .. _lines.Take(variable.Line - 1).Reverse()
                .TakeWhile(line => line.StartsWith('#') && !line.StartsWith("# ---", StringComparison.Ordinal))
                .Reverse(),
        ];
    }
}
