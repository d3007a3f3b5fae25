using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>Stands for git and Python in the containers of an emulated engine, as far as an installation runs them.</summary>
internal sealed class ContainerPrograms
{
    public const string NewestCommit = "00112233445566778899aabbccddeeff00112233";

    private readonly EmulatedEngine _engine;

    public ContainerPrograms(EmulatedEngine engine)
    {
        _engine = engine;
        engine.Executing = Run;
    }

    /// <summary>What was run that changes something, as <c>user: command</c>.</summary>
    public List<string> Ran { get; } = [];

    /// <summary>The modules that cannot be imported until pip has run.</summary>
    public List<string> Missing { get; } = [];

    public bool HasGit { get; set; } = true;

    public bool HasPython { get; set; } = true;

    /// <summary>Whether the container's own user may write to ComfyUI.</summary>
    public bool IsWritable { get; set; } = true;

    /// <summary>What git says instead of doing it; null: it does it.</summary>
    public string? GitError { get; set; }

    /// <summary>What pip says instead of doing it; null: it does it.</summary>
    public string? PipError { get; set; }

    private EmulatedExit Run(EmulatedProgram program)
    {
        string[] command = [.. program.Command];
        if (command is ["git", .. var arguments])
            return !HasGit ? EmulatedExit.NoSuchProgram : Noted(program, GitError is null ? Git(program.Container.Name, arguments) : new(128, "", GitError));
        if (!HasPython)
            return EmulatedExit.NoSuchProgram;
        return command switch
        {
            [_, "-m", "pip", ..] when PipError is not null => Noted(program, new(1, "", PipError)),
            [_, "-m", "pip", ..] => Noted(program, Pip()),
            [_, "-c", var script, ..] when script.Contains("import_module", StringComparison.Ordinal) => new(0, string.Concat(Missing.Select(module => $"missing\t{module}\tModuleNotFoundError\n")) + "comfyauth-imports\t3.11.13\n"),
            [_, "-c", var script, ..] when script.Contains("W_OK", StringComparison.Ordinal) => new(IsWritable ? 0 : 3),
            [_, "-c", var script, var path] when script.Contains("os.remove", StringComparison.Ordinal) => Noted(program, Remove(program.Container.Name, [path])),
            [_, "-c", var script, .. var paths] when script.Contains("rmtree", StringComparison.Ordinal) => Noted(program, Remove(program.Container.Name, paths)),
            [_, "-c", var script, var from, var to, ..] when script.Contains("os.rename", StringComparison.Ordinal) => Noted(program, Rename(program.Container.Name, from, to)),
            _ => new(2, "", "not emulated"),
        };
    }

    private EmulatedExit Noted(EmulatedProgram program, EmulatedExit exit)
    {
        Ran.Add($"{program.User}: {string.Join(' ', program.Command.Select(part => part.Contains('\n', StringComparison.Ordinal) ? "script" : part))}");
        return exit;
    }

    private EmulatedExit Pip()
    {
        Missing.Clear();
        return new();
    }

    private EmulatedExit Git(string container, string[] arguments)
    {
        var files = arguments switch
        {
            ["clone", "--progress", "--", _, var folder] => new Dictionary<string, EmulatedFile>
            {
                [folder + "/__init__.py"] = new("pass\n"),
                [folder + "/requirements.txt"] = new("bcrypt\n"),
                [folder + "/.git/HEAD"] = new("ref: refs/heads/main\n"),
                [folder + "/.git/packed-refs"] = new($"# pack-refs with: peeled fully-peeled sorted\n{NewestCommit} refs/heads/main\n"),
            },
            ["-C", var folder, "checkout", "--quiet", "--detach", var commit] => new() { [folder + "/.git/HEAD"] = new(commit.PadRight(40, '0') + "\n") },
            _ => [],
        };
        _engine.Change(container, now => now with { Files = now.Files.Concat(files).GroupBy(file => file.Key).ToDictionary(file => file.Key, file => file.Last().Value) });
        return new();
    }

    private EmulatedExit Remove(string container, string[] paths)
    {
        _engine.Change(container, now => now with { Files = now.Files.Where(file => !paths.Any(path => file.Key == path || file.Key.StartsWith(path + "/", StringComparison.Ordinal))).ToDictionary() });
        return new();
    }

    private EmulatedExit Rename(string container, string from, string to)
    {
        _engine.Change(container, now => now with { Files = now.Files.ToDictionary(file => file.Key.StartsWith(from + "/", StringComparison.Ordinal) ? to + file.Key[from.Length..] : file.Key, file => file.Value) });
        return new();
    }
}
