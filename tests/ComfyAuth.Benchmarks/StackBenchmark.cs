using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Many stacks in one process against a plain Python script that does the same, each a cold process on the same files,
/// timed from its start to its end. Medians of several rounds; the two take turns, so that both meet the same machine.
/// </summary>
internal static class StackBenchmark
{
    public const string Verb = "stacks";

    private const int Rounds = 3;

    private static readonly (string Name, string[] Command)[] Contenders =
    [
        ("ComfyAuth", [Environment.ProcessPath!, StackRun.Verb]),
        ("Python", ["python3", Script, "--plain"]),
        ("Python, durable", ["python3", Script, "--durable"]),
    ];

    private static string Script => Path.Combine(AppContext.BaseDirectory, "plain_sync.py");

    public static async Task RunAsync(int[] counts)
    {
        var set = new StackSet();
        Console.WriteLine("| stacks | work | who | median | all rounds | per stack | CPU per stack | bcrypt | allocated | GCs | memory |");
        Console.WriteLine("| ---: | --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var count in counts is [] ? [250, 500, 1000, 2000] : counts)
        {
            var measured = new Dictionary<(string Work, string Who), List<(double Seconds, StackRunResult Result)>>();
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var (name, command) in Contenders)
                    await MeasureAsync(set, count, name, command, measured);
            }

            foreach (var (key, runs) in measured.OrderBy(pair => pair.Key.Work, StringComparer.Ordinal))
                Print(count, key, runs);
        }

        if (File.Exists("/proc/loadavg"))
            Console.WriteLine($"\nLoad at the end: {await File.ReadAllTextAsync("/proc/loadavg")}");
    }

    private static async Task MeasureAsync(StackSet set, int count, string who, string[] command, Dictionary<(string Work, string Who), List<(double Seconds, StackRunResult Result)>> measured)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"comfyauth-stacks-{Guid.NewGuid():N}");
        try
        {
            set.LayOut(folder, count);
            await SettleAsync();
            foreach (var (title, work) in new[] { ("1 audit", "audit"), ("2 synchronise", "sync"), ("3 synchronise again", "sync") })
            {
                var run = await TimeAsync([.. command, folder, work]);
                if (!measured.TryGetValue((title, who), out var runs))
                    measured.Add((title, who), runs = []);
                runs.Add(run);
                Check(title, count, run.Result);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A number is only worth something if the work was done: 7 places of each stack, all stale, then none.</summary>
    private static void Check(string title, int count, StackRunResult result)
    {
        var (wrong, changed) = title[0] switch
        {
            '1' => (7 * count, 0),
            '2' => (0, 7 * count),
            _ => (0, 0),
        };
        if ((result.Wrong, result.Changed) != (wrong, changed) || result.Computations > 1)
            throw new InvalidOperationException($"{title}: {result} instead of {wrong} wrong and {changed} changed with at most one bcrypt.");
    }

    /// <summary>What the laying out left to be written shall not be paid for by whoever flushes first.</summary>
    private static async Task SettleAsync()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var sync = Process.Start("sync");
        await sync.WaitForExitAsync();
    }

    private static async Task<(double Seconds, StackRunResult Result)> TimeAsync(string[] command)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return process.ExitCode == 0
            ? (seconds, JsonSerializer.Deserialize<StackRunResult>(output)!)
            : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}.");
    }

    private static void Print(int count, (string Work, string Who) key, List<(double Seconds, StackRunResult Result)> runs)
    {
        var middle = runs.OrderBy(run => run.Seconds).ElementAt(runs.Count / 2);
        var all = string.Join(" ", runs.Select(run => run.Seconds.ToString("0.00", CultureInfo.InvariantCulture)));
        var own = middle.Result;
        var memory = own.AllocatedBytes == 0 ? "| | |" : FormattableString.Invariant($"{own.AllocatedBytes / 1e6:0.0} MB | {own.Collections} | {own.WorkingSetBytes / 1e6:0} MB |");
        Console.WriteLine(FormattableString.Invariant($"| {count} | {key.Work[2..]} | {key.Who} | {middle.Seconds:0.00} s | {all} | {middle.Seconds * 1000 / count:0.0} ms | {own.CpuSeconds * 1000 / count:0.0} ms | {own.Computations} | {memory}"));
    }
}
