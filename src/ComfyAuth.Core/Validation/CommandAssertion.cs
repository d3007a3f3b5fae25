using System.Globalization;
using ComfyAuth.Processes;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>That a program ends as it should. It is run only where whoever validates agrees to that: the file may be somebody else's.</summary>
internal static class CommandAssertion
{
    private const int MostLines = 20;

    public static Func<CheckContext, CancellationToken, Task<CheckOutcome>> Read(YamlMap map)
    {
        map.Allow("run", "exitCode", "contains");
        IReadOnlyList<string> command = map.Has("run") ? map.Texts("run") : [];
        if (command.Count == 0)
            throw map.Error("run", "there is no program to run", "Write 'run: [program, argument]'; no shell takes part.");
        var (exitCode, text) = (map.Integer("exitCode") ?? 0, map.Text("contains"));
        return (context, stop) => context.Options.RunCommands
            ? LookAsync(context.Stack, command[0], [.. command.Skip(1)], exitCode, text, stop)
            : Task.FromResult(CheckOutcome.Skipped($"It would run {command[0]}; programs of {CustomChecks.FileName} are run with -RunCommands only."));
    }

    private static async Task<CheckOutcome> LookAsync(GenAIStack stack, string program, IReadOnlyList<string> arguments, int exitCode, string? text, CancellationToken stop)
    {
        var lines = new Queue<string>();
        var found = text is null;
        var ended = await new ChildProcess(program, arguments, stack.Root).RunAsync(
            (line, _) =>
            {
                found = found || line.Contains(text!, StringComparison.Ordinal);
                lines.Enqueue(line);
                if (lines.Count > MostLines)
                    lines.Dequeue();
            },
            stop).ConfigureAwait(false);
        if (ended is not { } code)
            return CheckOutcome.Error($"{program} cannot be started.") with { Remedy = "Install it, or correct its name." };
        if (code != exitCode)
            return CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{program} ended with {code}, not {exitCode}."), [.. lines]);
        return found ? CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"{program} ended with {code}."), [.. lines]) : CheckOutcome.Failed($"{program} does not say what is looked for.", [.. lines, $"looked for: {text}"]);
    }
}
