using System.Diagnostics;
using System.Text.Json;
using ComfyAuth.Models;
using ComfyAuth.Secrets;

namespace ComfyAuth.Benchmarks;

/// <summary>One download, one hash, or nothing at all, in a process of its own.</summary>
internal static class ModelRun
{
    public const string Verb = "models-run";

    public static async Task RunAsync(string work, string[] arguments)
    {
        using var downloader = new ModelDownloader(new SecretRedactor(), arguments is [var endpoint, ..] && work == "load" ? new() { Endpoint = new(endpoint) } : null);
        if (work == "hash")
            await ModelVerifier.VerifyAsync(arguments[0], null, arguments[1], deep: true);
        if (work == "load" && arguments is [_, var folder, .. var files])
        {
            var downloads = files.Chunk(4).Select(file => new ModelDownload
            {
                Source = new(file[0], file[1]),
                Target = Path.Combine(folder, Path.GetFileName(file[1])),
                SizeInBytes = long.Parse(file[2], null),
                Sha256 = file[3],
            });
            await foreach (var result in downloader.DownloadAsync([.. downloads]))
            {
                if (result.Outcome != ModelDownloadOutcome.Downloaded)
                    throw (Exception?)result.Error ?? new InvalidOperationException($"{result.File} was there already.");
            }
        }

        using var self = Process.GetCurrentProcess();
        Console.WriteLine(JsonSerializer.Serialize(new ModelRunResult(self.TotalProcessorTime.TotalSeconds, self.PeakWorkingSet64)));
    }
}
