using System.Management.Automation;
using ComfyAuth.Guidance;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Finds what the stack's own documents say of a problem.</summary>
/// <remarks>
/// <para>
/// Searched are all *.md files under the stack's root, but those in node_modules and _backups, in what begins with a dot, and
/// behind links. Each result is a passage: the text under one heading. A passage need not hold all words of the query; the
/// rarer a word is, the more it counts, and most in a heading. Case and accents make no difference.
/// </para>
/// <para>
/// Nothing is stored: the documents are read anew by each command, once for all that is piped to it. No secret is shown.
/// </para>
/// </remarks>
/// <example>
/// <code>Find-GenAIGuidance 'container unhealthy 401'</code>
/// Shows the five passages of the stack of the current folder that say most of it.
/// </example>
/// <example>
/// <code>Get-GenAIContainer | Where-Object IsFault | Find-GenAIGuidance -First 1 | Format-List</code>
/// Shows, for each container with a fault, the passage that says most of it, with its text.
/// </example>
/// <example>
/// <code>Find-GenAIGuidance COMFYUI_BEARER_TOKEN D:\stacks\*</code>
/// Searches several stacks, and gives up to five passages of each.
/// </example>
[Cmdlet(VerbsCommon.Find, "GenAIGuidance")]
[OutputType(typeof(GuidancePassage))]
public sealed class FindGenAIGuidanceCommand : ComfyCmdlet
{
    private readonly Dictionary<(string? Path, bool Literal), IReadOnlyList<GuidanceIndex>> _found = [];
    private readonly Dictionary<string, GuidanceIndex> _indexes = new(StringComparer.Ordinal);
    private string? _input;

    /// <summary>Words of the problem, in any order; several queries are searched for one after the other. Diagnoses, checks, observations and errors that are piped stand for what they tell.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyString]
    [QueryText]
    public string[] Query { get; set; } = [];

    /// <summary>A stack's root, or a folder or file inside it; wildcards are allowed. Without it the current location is meant, or the stack that a piped object belongs to.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Path { get; set; }

    /// <summary>As Path, but taken as it is written: no wildcards. Items of the file system and results of this module that are piped tell theirs; Path goes before it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [Alias("PSPath", "Stack")]
    public string[]? LiteralPath { get; set; }

    /// <summary>How many passages each query gives at most, for each stack.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int First { get; set; } = 5;

    /// <inheritdoc/>
    protected override object? CurrentInput => _input;

    /// <inheritdoc/>
    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        foreach (var query in Query)
        {
            _input = query;
            if (!GuidanceIndex.IsSearchable(query))
            {
                pipe.WriteError(
                    new ComfyAuthException("GuidanceQueryEmpty", $"'{query}' holds no word to search for.", "Give words of the problem: of a message, or the name of a variable or file."),
                    query);
                continue;
            }

            foreach (var index in await IndexesAsync(pipe, stop))
            {
                var passages = index.Search(query, First);
                if (passages.Count == 0)
                    pipe.WriteVerbose($"The documents of '{index.Stack}' say nothing of '{query}'.");
                pipe.WriteObject(passages, enumerate: true);
            }
        }
    }

    private async Task<IEnumerable<GuidanceIndex>> IndexesAsync(CmdletPipe pipe, CancellationToken stop)
    {
        var indexes = new List<GuidanceIndex>();
        foreach (var path in Path ?? LiteralPath ?? (string?[])[null])
        {
            // What cannot be found is said once, not again for each query.
            if (!_found.TryGetValue((path, Path is null), out var found))
                _found.Add((path, Path is null), found = await FindAsync(pipe, path, Path is null, stop));
            indexes.AddRange(found);
        }

        return indexes.Distinct();
    }

    private async Task<IReadOnlyList<GuidanceIndex>> FindAsync(CmdletPipe pipe, string? path, bool literal, CancellationToken stop)
    {
        var found = new List<GuidanceIndex>();
        try
        {
            foreach (var folder in await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, path, literal)))
            {
                try
                {
                    found.Add(IndexOf(pipe, GenAIStack.Find(folder), stop));
                }
                catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException)
                {
                    pipe.WriteError(error, folder);
                }
            }
        }
        catch (ComfyAuthException error)
        {
            pipe.WriteError(error, path);
        }

        return found;
    }

    private GuidanceIndex IndexOf(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        if (_indexes.TryGetValue(stack.Root, out var index))
            return index;

        StackSecrets.Register(stack, pipe.Redactor);
        _indexes.Add(stack.Root, index = GuidanceIndex.Build(stack, pipe.Redactor, stop));
        pipe.WriteVerbose($"'{stack.Root}' has {index.DocumentCount} documents with {index.PassageCount} passages.");
        foreach (var gap in index.NotRead)
            pipe.WriteVerbose($"Not searched: {gap.Path}. {gap.Reason}");
        if (index.NotRead.Count > 0)
            pipe.WriteWarning($"{index.NotRead.Count} documents or folders of '{stack.Root}' were not searched, or not all of them: {string.Join(", ", index.NotRead.Take(3).Select(gap => gap.Path))}{(index.NotRead.Count > 3 ? ", \u2026" : "")}. -Verbose tells why.");
        if (index.DocumentCount == 0)
            pipe.WriteWarning($"'{stack.Root}' has no documents (*.md) to search.");
        return index;
    }
}
