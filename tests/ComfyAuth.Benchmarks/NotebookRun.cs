using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Benchmarks;

/// <summary>One run of the checks of notebooks, in a process of its own.</summary>
internal static partial class NotebookRun
{
    public const string Verb = "notebooks-run";

    public static async Task RunAsync(string root)
    {
        var validator = new StackValidator(new SecretRedactor(), new PasswordVerifier(), () => throw new InvalidOperationException("No engine is needed."));
        var results = new List<CheckResult>();
        await foreach (var result in validator.RunAsync(GenAIStack.Find(root), new ValidationOptions { Categories = ["notebook"] }))
            results.Add(result);

        long bad = 0, notebooks = 0;
        foreach (var result in results.Where(result => result.Id is "notebook.encoding" or "notebook.json"))
        {
            var counts = Counts().Match(result.Message.Replace(",", "", StringComparison.Ordinal));
            bad += long.Parse(counts.Groups["bad"].Value, CultureInfo.InvariantCulture);
            notebooks = long.Parse(counts.Groups["all"].Value, CultureInfo.InvariantCulture);
        }

        using var self = Process.GetCurrentProcess();
        Console.WriteLine(JsonSerializer.Serialize(new NotebookRunResult(notebooks, bad, self.TotalProcessorTime.TotalSeconds, self.PeakWorkingSet64)));
    }

    [GeneratedRegex("^(?<bad>[0-9]+) of (?<all>[0-9]+) ")]
    private static partial Regex Counts();
}
