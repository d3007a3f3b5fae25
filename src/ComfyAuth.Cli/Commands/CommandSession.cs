using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Commands;

/// <summary>
/// One run of a command: where it prints, what must not be printed, and how an error becomes an exit code.
/// With <c>--json</c> standard output holds one JSON document and nothing else.
/// </summary>
internal sealed class CommandSession
{
    private bool _anyFailed;

    private CommandSession(bool json, bool verbose)
    {
        IsJson = json;
        Logger = verbose ? new RedactingLoggerProvider(new StandardErrorLoggerProvider(), Redactor).CreateLogger("comfyauth") : NullLogger.Instance;
    }

    /// <summary>Whether standard output is for a program.</summary>
    public bool IsJson { get; }

    /// <summary>Learns every secret of the run.</summary>
    public SecretRedactor Redactor { get; } = new();

    /// <summary>Asks bcrypt, each question once in the run.</summary>
    public PasswordVerifier Verifier { get; } = new();

    /// <summary>Is told what is written, and what is waited for; silent without <c>--verbose</c>.</summary>
    public ILogger Logger { get; }

    /// <summary>Options that every command over stacks takes.</summary>
    public static (Option<string[]> Path, Option<string[]> Service, Option<bool> Json, Option<bool> Verbose) CommonOptions { get; } = (
        new("--path") { Description = "A stack's root, or a folder inside it; may be repeated. Default: the current folder.", DefaultValueFactory = _ => ["."], Validators = { RequireValue } },
        new("--service") { Description = "Only this service; may be repeated.", Validators = { RequireValue } },
        new("--json") { Description = "Print one JSON document." },
        new("--verbose") { Description = "Tell on standard error what is written, and what is waited for." });

    /// <summary>Refuses an empty value, as an unset variable of a script leaves one, and the next option in its place.</summary>
    public static void RequireValue(OptionResult result)
    {
        if (result.Tokens.Any(token => token.Value.Length == 0 || token.Value.StartsWith("--", StringComparison.Ordinal)))
            result.AddError($"{result.Option.Name} has no value.");
    }

    /// <summary>An option that takes a time; without a usual one it has no default.</summary>
    public static Option<TimeSpan> Time(string name, string description, TimeSpan? usual = null) => new(name)
    {
        Description = description,
        DefaultValueFactory = usual is { } time ? _ => time : null,
        CustomParser = result =>
        {
            var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            if (!Duration.TryParse(text, out var duration))
                result.AddError($"{name}: {Duration.Refusal(text)}");
            return duration;
        },
    };

    /// <summary>Runs a command's work; every error ends as a message without secrets and an exit code.</summary>
    public static async Task<int> RunAsync(bool json, bool verbose, Func<CommandSession, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        var session = new CommandSession(json, verbose);
        try
        {
            // Ctrl+C is listened to as soon as there is something to wait for, and the work may be long before it first waits.
            var code = await Task.Run(() => work(session, cancellationToken), CancellationToken.None);
            return code == ExitCode.Fine && session._anyFailed ? ExitCode.NotDone : code;
        }
        catch (OperationCanceledException error)
        {
            // Who had to put back something, or could not, says so.
            session.Warn(error.GetType() == typeof(OperationCanceledException) && error.InnerException is not null ? $"Cancelled. {error.Message}" : "Cancelled; nothing half-done is left behind.");
            return ExitCode.Cancelled;
        }
        catch (Exception error) when (IsForeseen(error))
        {
            session.Fail(error);
            return ExitCode.NotDone;
        }
        catch (Exception error)
        {
            // A fault of ours: whoever mends it needs the trace, and nobody needs a secret in it.
            session.Warn($"comfyauth: unexpected: {error}");
            return ExitCode.NotDone;
        }
    }

    /// <summary>Does the work for each stack that the paths lead to; an error of one is told, and spares the others.</summary>
    public async Task ForEachStackAsync(IEnumerable<string> paths, bool recover, Func<GenAIStack, Task> work, CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>();
        foreach (var path in paths)
        {
            await TryAsync(async () =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                var stack = GenAIStack.Find(path);
                if (!seen.Add(stack.Root))
                    return;

                if (recover && FileTransaction.IsRecoveryPending(stack.Root))
                {
                    await FileTransaction.RecoverAsync(stack.Root, new() { Logger = Logger }, cancellationToken);
                    Warn($"An earlier change of {stack.Root} was interrupted; its files were put back as they were.");
                }

                await work(stack);
            });
        }
    }

    /// <summary>Does a part of the work that may fail without ending the rest; an error is told.</summary>
    /// <returns>Whether it was done.</returns>
    public async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception error) when (IsForeseen(error))
        {
            Fail(error);
            return false;
        }
    }

    /// <summary>Prints a line for people; not with <c>--json</c>.</summary>
    public void Say(string text)
    {
        if (!IsJson)
            Console.Out.WriteLine(Redactor.Redact(text));
    }

    /// <summary>Prints results: the JSON document where it was asked for, else as <see cref="Show"/> does.</summary>
    public void Print<T>(IReadOnlyList<T> results, JsonTypeInfo<IReadOnlyList<T>> type, Func<T, string> stackOf, Func<IReadOnlyList<T>, IRenderable> render)
    {
        if (IsJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(results, type));
        else
            Show(results, stackOf, render);
    }

    /// <summary>Prints results for people, each stack's under its name where there are several; not with <c>--json</c>.</summary>
    public void Show<T>(IEnumerable<T> results, Func<T, string> stackOf, Func<IReadOnlyList<T>, IRenderable> render)
    {
        if (IsJson)
            return;

        var stacks = results.GroupBy(stackOf).ToList();
        foreach (var stack in stacks)
        {
            if (stacks.Count > 1)
                AnsiConsole.MarkupLineInterpolated($"\n[bold]{stack.Key}[/]");
            AnsiConsole.Write(render([.. stack]));
        }
    }

    /// <summary>Prints a line on standard error with <c>--verbose</c> only.</summary>
    public void Note(string text)
    {
        if (Logger.IsEnabled(LogLevel.Information))
            Warn(text);
    }

    /// <summary>Prints a line on standard error.</summary>
    public void Warn(string text) => Console.Error.WriteLine(Redactor.Redact(text));

    private static bool IsForeseen(Exception error) => error is ComfyAuthException or IOException or UnauthorizedAccessException;

    private void Fail(Exception error)
    {
        _anyFailed = true;
        Warn($"comfyauth: {Redactor.Describe(error)}");
        if (error is ComfyAuthException { Remedy.Length: > 0 } known)
            Warn(known.Remedy);
    }
}
