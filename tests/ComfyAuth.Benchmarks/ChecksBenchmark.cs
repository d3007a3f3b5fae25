using System.Diagnostics;
using ComfyAuth.Cli.Quickstart;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// All checks of the sample stack, its engine and services emulated in this process: several at a time beside one after the other, with
/// the slowest single check. Medians of several rounds, which take turns; the first round, in which code is compiled, stands by itself.
/// </summary>
internal static class ChecksBenchmark
{
    public const string Verb = "checks";

    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        var root = Path.Combine(Path.GetTempPath(), $"comfyauth-checks-{Guid.NewGuid():N}");
        try
        {
            var redactor = new SecretRedactor();
            await SampleStack.LayOutAsync(root, redactor, CancellationToken.None);
            await using var sample = await SampleContainers.StartAsync(GenAIStack.Find(root), isMended: false, redactor, CancellationToken.None);
            await using var engine = new DockerClient(sample.Engine);
            var concurrent = new ValidationOptions();
            var first = await MeasureAsync(sample.Stack, engine, concurrent);
            List<Run> together = [], inTurn = [];
            for (var round = 0; round < Rounds; round++)
            {
                together.Add(await MeasureAsync(sample.Stack, engine, concurrent));
                inTurn.Add(await MeasureAsync(sample.Stack, engine, concurrent with { AtOnce = 1 }));
            }

            Console.WriteLine("| run | checks | whole | slowest check | allocated |");
            Console.WriteLine("| --- | ---: | ---: | --- | ---: |");
            Print($"first in the process, {concurrent.AtOnce} at once", [first]);
            Print($"{concurrent.AtOnce} at once", together);
            Print("one after the other", inTurn);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<Run> MeasureAsync(GenAIStack stack, DockerClient engine, ValidationOptions options)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var clock = Stopwatch.StartNew();
        var results = new List<CheckResult>();
        await foreach (var result in new StackValidator(new SecretRedactor(), new PasswordVerifier(), () => engine).RunAsync(stack, options))
            results.Add(result);
        return new(clock.Elapsed, results.Count, results.MaxBy(result => result.Duration)!, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    private static void Print(string name, List<Run> runs)
    {
        var middle = runs.OrderBy(run => run.Whole).ElementAt(runs.Count / 2);
        Console.WriteLine(FormattableString.Invariant(
            $"| {name} | {middle.Checks} | {middle.Whole.TotalMilliseconds:0} ms | {middle.Slowest.Id} {middle.Slowest.Service}: {middle.Slowest.Duration.TotalMilliseconds:0} ms | {middle.AllocatedBytes / 1e6:0.0} MB |"));
    }

    /// <summary>One run; what is allocated includes the emulated engine and services.</summary>
    private sealed record Run(TimeSpan Whole, int Checks, CheckResult Slowest, long AllocatedBytes);
}
