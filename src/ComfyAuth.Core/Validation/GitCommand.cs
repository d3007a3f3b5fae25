using System.Collections;
using ComfyAuth.Processes;

namespace ComfyAuth.Validation;

/// <summary>
/// Asks git about one folder. It writes nothing, not even its own index, asks nobody, uses no network, and runs none of the programs that
/// a configuration can name (hooks, file system monitors, filters): a folder that somebody else made is not trusted.
/// </summary>
internal sealed class GitCommand
{
    private const int MostLines = 100_000;

    /// <summary>Variables that do not lead git to another repository, index or program.</summary>
    private static readonly string[] Harmless = ["GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"];

    private readonly string _program;
    private readonly string _folder;
    private readonly Dictionary<string, string?> _environment;
    private string[] _withoutFilters = [];

    private GitCommand(string program, string folder)
    {
        _program = program;
        _folder = folder;
        // Whoever starts us from a hook has set some of them.
        _environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => (string)variable.Key)
            .Where(name => name.StartsWith("GIT_", StringComparison.OrdinalIgnoreCase) && !Harmless.Contains(name, StringComparer.OrdinalIgnoreCase))
            .ToDictionary(name => name, _ => (string?)null);
        _environment["GIT_TERMINAL_PROMPT"] = "0";
        _environment["GIT_NO_LAZY_FETCH"] = "1";
        _environment["GIT_ALLOW_PROTOCOL"] = "none";
        _environment["LC_ALL"] = "C";
        _environment["LANGUAGE"] = null;
    }

    /// <summary>Finds git; null when it is not installed.</summary>
    public static GitCommand? Find(string folder) => ProgramSearch.Locate("git").FirstOrDefault() is { } program ? new(program, folder) : null;

    /// <summary>Takes away the filters that a configuration names; without, comparing files would run them.</summary>
    /// <returns>Whether that was possible.</returns>
    public async Task<bool> ForgoFiltersAsync(CancellationToken stop)
    {
        var filters = await AskAsync(["config", "--name-only", "--get-regexp", @"^filter\..*\.(clean|process|required)$"], stop).ConfigureAwait(false);
        // Git takes what stands before the first = for the name.
        if (filters.ExitCode > 1 || filters.Lines.Any(name => name.Contains('=', StringComparison.Ordinal)))
            return false;
        _withoutFilters = [.. filters.Lines.Distinct(StringComparer.Ordinal).SelectMany(name => new[] { "-c", name.EndsWith(".required", StringComparison.OrdinalIgnoreCase) ? $"{name}=false" : $"{name}=" })];
        return true;
    }

    /// <summary>Asks.</summary>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="stop">Kills git.</param>
    public async Task<GitAnswer> AskAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var lines = new List<string>();
        var errors = new List<string>();
        string[] all =
        [
            "--no-optional-locks", "--no-pager", "-C", _folder,
            "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false",
            .. _withoutFilters, .. arguments,
        ];
        var exitCode = await new ChildProcess(_program, all, _folder, _environment).RunAsync(
            (line, isError) =>
            {
                var list = isError ? errors : lines;
                if (list.Count < MostLines)
                    list.Add(line);
            },
            stop).ConfigureAwait(false);
        return exitCode is { } code ? new(code, lines, string.Join(' ', errors.Take(3))) : new(GitAnswer.NotStarted, [], $"'{_program}' cannot be started.");
    }
}
