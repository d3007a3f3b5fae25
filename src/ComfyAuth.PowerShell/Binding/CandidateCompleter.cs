using System.Collections;
using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>
/// Completes an argument from candidates. It never fails and never takes longer than 300 ms: what is known by then is
/// offered.
/// </summary>
public abstract class CandidateCompleter : IArgumentCompleter
{
    /// <summary>How long it may take; the tests, which run on busy machines too, give it longer.</summary>
    internal static TimeSpan Patience { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Finds the values the argument could have; runs off the pipeline thread.</summary>
    /// <param name="input">What is known; every value is offered that starts with its word, so it need not be looked at.</param>
    /// <param name="stop">Cancelled when time is up.</param>
    /// <returns>The values, each as soon as it is known.</returns>
    protected abstract IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop);

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        var typed = wordToComplete ?? "";
        var quote = typed.Length > 0 && typed[0] is '\'' or '"' ? typed[..1] : "";
        var word = typed[quote.Length..];
        if (quote.Length > 0 && word.EndsWith(quote, StringComparison.Ordinal))
            word = word[..^1];

        // Asked here, because the session state belongs to this thread.
        var input = new CompletionInput(word, CurrentFolder(), fakeBoundParameters ?? new Hashtable());

        var found = new ConcurrentQueue<Candidate>();
        var token = new CancellationTokenSource(Patience).Token;
        var search = Task.Factory.StartNew(
            () =>
            {
                foreach (var candidate in Find(input, token).TakeWhile(_ => !token.IsCancellationRequested))
                    found.Enqueue(candidate);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        // Also when the search fails: the line being typed is no place for an error.
        Task.WaitAny([search], Patience);

        return [.. found
            .Where(candidate => candidate.Value.Length > 0 && candidate.Value.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            .Select(candidate => new CompletionResult(
                Quote(candidate.Value, quote),
                candidate.Value,
                CompletionResultType.ParameterValue,
                candidate.Description ?? candidate.Value))];
    }

    private static string? CurrentFolder()
    {
        try
        {
            // A completer is given no session state, and one that is completing answers only to commands.
            using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
            var location = shell.AddCommand(@"Microsoft.PowerShell.Management\Get-Location").Invoke<PathInfo>().FirstOrDefault();
            return location?.Provider.Name == "FileSystem" ? location.ProviderPath : null;
        }
        catch (Exception exception) when (exception is RuntimeException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Quote(string value, string quote) => quote switch
    {
        "\"" => $"\"{value.Replace("`", "``", StringComparison.Ordinal).Replace("$", "`$", StringComparison.Ordinal).Replace("\"", "`\"", StringComparison.Ordinal)}\"",
        "" when value.Length > 0 && value.All(character => char.IsLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or '\\' or ':' or '~') && value[0] is not '-' => value,
        _ => $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'",
    };
}
