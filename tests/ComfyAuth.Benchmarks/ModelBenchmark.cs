using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ComfyAuth.Emulator.Hub;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Time to a verified file: a gigabyte over loopback from an emulated hub in this process, each time in a new process, beside aria2c and curl
/// with sha256sum, and beside hashing the file alone. Medians of several rounds, which take turns.
/// </summary>
internal static class ModelBenchmark
{
    public const string Verb = "models";

    private const string Repository = "bench/marks";

    // What the content of a program's argument list is called in the table.
    private const string Ours = "ComfyAuth";
    private const string OursTwice = "ComfyAuth, two files at once";
    private const string Hash = "the hash alone (OpenSSL)";

    public static async Task RunAsync(int megabytes, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("comfyauth-models-").FullName;
        try
        {
            await using var hub = await EmulatedHub.StartAsync();
            HostedFile[] files = [.. Enumerable.Range(1, 2).Select(number => new HostedFile(Repository, $"model{number}.safetensors", HubContent.Safetensors(megabytes * 1_000_000L, number)))];
            foreach (var file in files)
                hub.Add(file);
            var whole = Path.Combine(folder, "whole.safetensors");
            await WriteAsync(files[0].Content, whole);

            var target = Path.Combine(folder, "target");
            var one = Path.Combine(target, "model1.safetensors");
            var self = Environment.ProcessPath!;
            string[] Load(params HostedFile[] wanted) =>
                [ModelRun.Verb, "load", hub.Address.ToString(), target, .. wanted.SelectMany(file => new[] { file.Repository, file.Path, file.Content.Length.ToString(CultureInfo.InvariantCulture), file.Content.Sha256 })];

            var address = new Uri(hub.Address, $"{Repository}/resolve/main/{files[0].Path}").AbsoluteUri;
            (string Name, string Program, string[] Arguments, bool IsOurs)[] contenders =
            [
                (Hash, self, [ModelRun.Verb, "hash", whole, files[0].Content.Sha256], true),
                ("sha256sum alone", "sha256sum", [whole], false),
                (Ours, self, Load(files[0]), true),
                ("aria2c -x8 --checksum", "aria2c", ["-x8", "-s8", "-q", "--allow-overwrite=true", $"--checksum=sha-256={files[0].Content.Sha256}", "-d", target, "-o", "model1.safetensors", address], false),
                ("curl, then sha256sum", "sh", ["-c", $"curl -sLf -o '{one}' '{address}' && echo '{files[0].Content.Sha256}  {one}' | sha256sum -c --quiet"], false),
                (OursTwice, self, Load(files), true),
            ];

            var idle = (await TimeAsync(self, [ModelRun.Verb, "idle"], isOurs: true)).Result!;
            var times = contenders.ToDictionary(each => each.Name, _ => new List<(double Seconds, ModelRunResult? Result)>());
            for (var round = 0; round < rounds; round++)
            {
                foreach (var (name, program, arguments, isOurs) in contenders)
                {
                    Directory.CreateDirectory(target);
                    times[name].Add(await TimeAsync(program, arguments, isOurs));
                    Directory.Delete(target, recursive: true);
                }
            }

            Console.WriteLine(FormattableString.Invariant($"{megabytes} MB, medians of {rounds} rounds, whole processes; an idle process of ours holds {idle.PeakBytes / 1e6:0} MB.\n"));
            Console.WriteLine("| what | time | all rounds | CPU | peak over idle |");
            Console.WriteLine("| --- | ---: | --- | ---: | ---: |");
            var medians = contenders.ToDictionary(each => each.Name, each => Print(each.Name, times[each.Name], idle));
            Console.WriteLine(FormattableString.Invariant(
                $"\nTo a verified file: {medians[Ours] / medians[Hash]:0.00} x the hash alone, {medians[Ours] / medians["aria2c -x8 --checksum"]:0.00} x aria2c, {medians[Ours] / medians["curl, then sha256sum"]:0.00} x curl and sha256sum."));
            if (File.Exists("/proc/loadavg"))
                Console.WriteLine($"Load at the end: {await File.ReadAllTextAsync("/proc/loadavg")}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task WriteAsync(HubContent content, string path)
    {
        const int piece = 1 << 20;
        await using var file = File.Create(path);
        for (var at = 0L; at < content.Length; at += piece)
            await file.WriteAsync(content.Read(at, (int)Math.Min(piece, content.Length - at)));
    }

    private static async Task<(double Seconds, ModelRunResult? Result)> TimeAsync(string program, string[] arguments, bool isOurs)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
        return (seconds, isOurs ? JsonSerializer.Deserialize<ModelRunResult>(output) : null);
    }

    private static double Print(string name, List<(double Seconds, ModelRunResult? Result)> runs, ModelRunResult idle)
    {
        var (seconds, result) = runs.OrderBy(run => run.Seconds).ElementAt(runs.Count / 2);
        var all = string.Join(' ', runs.Select(run => FormattableString.Invariant($"{run.Seconds:0.0}")));
        var ours = result is null ? " | " : FormattableString.Invariant($"{result.CpuSeconds:0.0} s | {(runs.Max(run => run.Result!.PeakBytes) - idle.PeakBytes) / 1e6:0} MB");
        Console.WriteLine(FormattableString.Invariant($"| {name} | {seconds:0.0} s | {all} | {ours} |"));
        return seconds;
    }
}
