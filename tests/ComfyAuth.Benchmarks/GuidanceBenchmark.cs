using System.Diagnostics;
using System.Text.Json;

namespace ComfyAuth.Benchmarks;

/// <summary>Indexing and searching the documents of a stack, each time in a cold process. Medians of several rounds.</summary>
internal static class GuidanceBenchmark
{
    public const string Verb = "guidance";

    private const int Rounds = 5;

    public static async Task RunAsync(int[] counts)
    {
        Console.WriteLine("| documents | text | passages | whole process | index | all rounds | one search | CPU | allocated | index holds | peak |");
        Console.WriteLine("| ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
        foreach (var count in counts is [] ? [1000, 5000] : counts)
        {
            var root = Path.Combine(Path.GetTempPath(), $"comfyauth-guidance-{Guid.NewGuid():N}");
            try
            {
                var length = new DocumentSet().LayOut(root, count);
                var runs = new List<(double Seconds, GuidanceRunResult Result)>();
                for (var round = 0; round < Rounds; round++)
                    runs.Add(await TimeAsync(root));
                if (runs.Exists(run => run.Result.Documents != count))
                    throw new InvalidOperationException($"Not all of {count} documents were indexed.");
                Print(length, runs);
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        }

        if (File.Exists("/proc/loadavg"))
            Console.WriteLine($"\nLoad at the end: {await File.ReadAllTextAsync("/proc/loadavg")}");
    }

    private static async Task<(double Seconds, GuidanceRunResult Result)> TimeAsync(string root)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [GuidanceRun.Verb, root]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, JsonSerializer.Deserialize<GuidanceRunResult>(output)!);
    }

    private static void Print(long length, List<(double Seconds, GuidanceRunResult Result)> runs)
    {
        var (seconds, middle) = runs.OrderBy(run => run.Result.BuildSeconds).ElementAt(runs.Count / 2);
        var all = string.Join(' ', runs.Select(run => FormattableString.Invariant($"{run.Result.BuildSeconds:0.00}")));
        Console.WriteLine(FormattableString.Invariant(
            $"| {middle.Documents} | {length / 1e6:0.0} MB | {middle.Passages} | {seconds:0.00} s | {middle.BuildSeconds:0.00} s | {all} | {middle.SearchMilliseconds:0.0} ms | {middle.CpuSeconds:0.00} s | {middle.AllocatedBytes / 1e6:0} MB | {middle.IndexBytes / 1e6:0} MB | {middle.PeakBytes / 1e6:0} MB |"));
    }
}
