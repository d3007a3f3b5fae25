using System.Diagnostics;
using System.Text.Json;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Checking the notebooks of a stack, each time in a new process, beside a loop in Python that reads and parses the same files and looks for
/// byte order marks. Medians of several rounds, which take turns so that both meet the same machine.
/// </summary>
internal static class NotebookBenchmark
{
    public const string Verb = "notebooks";

    private const int Rounds = 5;

    public static async Task RunAsync(int[] counts)
    {
        Console.WriteLine("| notebooks | text | program | work | whole process | all rounds | CPU | peak |");
        Console.WriteLine("| ---: | ---: | --- | --- | ---: | --- | ---: | ---: |");
        foreach (var count in counts is [] ? [1000, 10_000] : counts)
        {
            var root = Path.Combine(Path.GetTempPath(), $"comfyauth-notebooks-{Guid.NewGuid():N}");
            try
            {
                var length = new NotebookSet().LayOut(root, count);
                var ours = new List<NotebookRunResult>();
                var python = new List<NotebookRunResult>();
                for (var round = 0; round < Rounds; round++)
                {
                    ours.Add(await TimeAsync(Environment.ProcessPath!, [NotebookRun.Verb, root]));
                    python.Add(await TimeAsync("python3", [Path.Combine(AppContext.BaseDirectory, "plain_notebooks.py"), root]));
                }

                if (ours.Concat(python).Any(run => run.Notebooks != count || run.Bad != NotebookSet.BadOf(count)))
                    throw new InvalidOperationException($"Not all of {count} notebooks were read, or not every bad one was found.");
                var (fast, slow) = (Print(length, "ComfyAuth", "encoding, JSON, format, secrets", ours), Print(length, "Python", "encoding, JSON", python));
                Console.WriteLine(FormattableString.Invariant($"\n{count} notebooks: {slow / fast:0.0} times as fast as the loop.\n"));
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        }

        if (File.Exists("/proc/loadavg"))
            Console.WriteLine($"Load at the end: {await File.ReadAllTextAsync("/proc/loadavg")}");
    }

    private static async Task<NotebookRunResult> TimeAsync(string program, string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return JsonSerializer.Deserialize<NotebookRunResult>(output)! with { Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    private static double Print(long length, string program, string work, List<NotebookRunResult> runs)
    {
        var middle = runs.OrderBy(run => run.Seconds).ElementAt(runs.Count / 2);
        var all = string.Join(' ', runs.Select(run => FormattableString.Invariant($"{run.Seconds:0.00}")));
        Console.WriteLine(FormattableString.Invariant(
            $"| {middle.Notebooks} | {length / 1e6:0} MB | {program} | {work} | {middle.Seconds:0.00} s | {all} | {middle.CpuSeconds:0.00} s | {middle.PeakBytes / 1e6:0} MB |"));
        return middle.Seconds;
    }
}
