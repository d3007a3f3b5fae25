using System.Security.Cryptography;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Models;

public sealed class ModelStormTests(ITestOutputHelper output)
{
    private const string Wrong = "wrong: ";
    private const string Token = "hf_NotForTheStorage123456789";
    private static readonly TimeSpan LeastSilence = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(5);

    // How long a connection may be silent, in ticks. On a busy machine one that is fine may say nothing for a second: then every download would end by its time.
    private long _silence = LeastSilence.Ticks;

    [Fact]
    public async Task Whatever_goes_wrong_the_file_is_right_or_the_error_is_clear_and_the_next_run_finishes()
    {
        const int sequences = 500;
        var outcomes = new string[sequences];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, sequences),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken },
            async (seed, stop) =>
            {
                try
                {
                    outcomes[seed] = await RunAsync(seed, stop);
                }
                catch (Exception error) when (!stop.IsCancellationRequested)
                {
                    outcomes[seed] = Wrong + error;
                    output.WriteLine($"{seed}: {error}");
                }
            });

        Assert.DoesNotContain(outcomes, outcome => outcome.StartsWith(Wrong, StringComparison.Ordinal));
        var counts = outcomes.CountBy(outcome => outcome).OrderByDescending(count => count.Value).ToList();
        foreach (var (outcome, count) in counts)
            output.WriteLine($"{count} {outcome}");

        // Otherwise the faults were too few or too many to say anything.
        Assert.Contains(nameof(ModelDownloadOutcome.Downloaded), outcomes);
        Assert.True(counts.Count >= 3, $"only {counts.Count} different outcomes");
    }

    /// <summary>Downloads a file while things go wrong, then again while nothing does.</summary>
    /// <returns>What came of the first.</returns>
    private async Task<string> RunAsync(int seed, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromMinutes(15));
        var random = new Random(seed);
        var hasLinkedHeaders = random.Next(4) != 0;
        await using var hub = await EmulatedHub.StartAsync(
            new()
            {
                Tokens = random.Next(4) == 0 ? [] : [Token],
                HasLinkedHeaders = hasLinkedHeaders,
                Redirects = random.Next(8) != 0,
                RequestsPerAddress = random.Next(4) == 0 ? random.Next(8, 30) : null,
                BytesPerAddress = random.Next(4) == 0 ? random.Next(1 << 19, 1 << 21) : null,
            },
            patience.Token);
        var content = HubContent.Safetensors(random.Next(1_000_000, 3_000_000), seed);
        hub.Add(new("Some-Org/Some-Model", "split_files/model.safetensors", content));
        using var folder = new TemporaryFolder();
        var download = new ModelDownload { Source = new("Some-Org/Some-Model", "split_files/model.safetensors"), Target = folder.PathOf("vae/model.safetensors") };

        // What comes from a mirror that tells no hash can be judged only by one's own.
        if (!hasLinkedHeaders || random.Next(2) == 0)
            download = download with { SizeInBytes = content.Length, Sha256 = content.Sha256 };
        var options = new ModelDownloadOptions
        {
            Endpoint = hub.Address,
            Token = random.Next(3) == 0 ? null : new(Token),
            Connections = random.Next(1, 5),
            ChunkBytes = random.Next(64, 512) * 1024,
            StallTimeout = TimeSpan.FromTicks(Interlocked.Read(ref _silence)),
            FirstDelay = TimeSpan.FromMilliseconds(1),
            JournalInterval = TimeSpan.FromMilliseconds(20),
        };

        hub.Faults = hub.Storage.Faults = HubFaults.Seeded(seed, share: random.Next(1, 6) / 10.0, reach: options.ChunkBytes);
        string outcome;
        using (var downloader = new ModelDownloader(new SecretRedactor(), options))
        {
            try
            {
                outcome = (await downloader.DownloadAsync(download, stop: patience.Token)).Outcome.ToString();
                Assert.True(File.Exists(download.Target), "there is no file");
            }
            catch (ComfyAuthException error)
            {
                Assert.NotEqual("", error.Remedy);
                Assert.DoesNotContain(Token, error.ToString(), StringComparison.Ordinal);
                Assert.DoesNotContain("Signature=", error.ToString(), StringComparison.Ordinal);
                outcome = error.Code;
            }
        }

        EnsureNotWrong(download, content);

        hub.Faults = hub.Storage.Faults = null;
        using (var downloader = new ModelDownloader(new SecretRedactor(), options with { StallTimeout = TimeSpan.FromMinutes(2) }))
        {
            // Whoever is silent for longer than a whole download takes on this machine now is silent.
            var took = (await downloader.DownloadAsync(download, stop: patience.Token)).Duration;
            Interlocked.Exchange(ref _silence, Math.Clamp(took.Ticks, LeastSilence.Ticks, MostSilence.Ticks));
        }

        Assert.True(File.Exists(download.Target), $"there is no file after {outcome} and a run without faults");
        EnsureNotWrong(download, content);
        Assert.False(File.Exists(download.Target + ".part") || File.Exists(download.Target + ".part.json"), "a part is left");
        Assert.Equal(0, hub.Storage.TokensSeen);
        return outcome;
    }

    private static void EnsureNotWrong(ModelDownload download, HubContent content)
    {
        if (File.Exists(download.Target))
            Assert.Equal(content.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(download.Target))));
    }
}
