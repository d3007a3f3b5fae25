using System.Diagnostics;
using System.Security.Cryptography;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Models;

public sealed class ModelKillTests(ITestOutputHelper output)
{
    private const long Length = 3_000_017;
    private const long BytesPerSecond = 8_000_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_at_any_of_100_random_instants_the_next_run_goes_on_and_no_wrong_file_gets_the_name()
    {
        const int workers = 2;
        const int killsEach = 50;
        const int seed = 20260117;
        var counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => KillOftenAsync(killsEach, new Random(seed + worker))));

        var (files, resumed, lost) = (counts.Sum(count => count.Files), counts.Sum(count => count.Resumed), counts.Sum(count => count.Lost));
        output.WriteLine($"{workers * killsEach} kills, {files} files; {resumed} runs went on with something; {lost / (workers * killsEach)} bytes loaded twice for each kill");

        // Otherwise the kills missed what they are meant to hit.
        Assert.True(resumed > 0, "no run found something to go on with");
        Assert.True(lost >= 0, $"{-lost} bytes were never served");
    }

    private static async Task<(int Files, int Resumed, long Lost)> KillOftenAsync(int kills, Random random)
    {
        // In memory, where there is such a place: a process that waits for a disk is not killed between two steps.
        using var folder = new TemporaryFolder(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var download = Add(hub, folder, Length);
        var (runs, killed, files, resumed, before) = (0, 0, 0, 0, 0L);

        // The first is left alone: how long it takes depends on the machine.
        var (wasKilled, whole) = await KillAsync(hub, download, Timeout.InfiniteTimeSpan);
        Assert.False(wasKilled);
        while (killed < kills)
        {
            if (File.Exists(download.Target))
            {
                EnsureRight(download);
                File.Delete(download.Target);
                (files, before) = (files + 1, 0);
                Assert.True(files < 4 * kills, $"only {killed} of {killed + files} runs were killed");
            }
            else
            {
                var there = PartFile.Journal(ModelPlaces.Of(download.Target))?.Done!.Sum(range => range[1] - range[0]) ?? 0;
                Assert.True(there >= before, $"of {before} bytes {there} are left");
                before = there;
            }

            // In turn by time, which hits beginning and end too, and by what was served, which hits the middle however long all of it takes.
            // The turn is that of the runs: on a machine that was slow at first and then is not, no kill by time may hit.
            resumed += before > 0 ? 1 : 0;
            var share = random.NextDouble();
            killed += (await (runs++ % 2 == 0 ? KillAsync(hub, download, whole * share) : KillAsync(hub, download, (long)((Length - before) * share)))).WasKilled ? 1 : 0;
        }

        using var downloader = new ModelDownloader(new SecretRedactor(), DownloadChild.Options(hub.Address));
        await downloader.DownloadAsync(download, stop: Stop);
        EnsureRight(download);
        return (files + 1, resumed, hub.Storage.BytesServed - ((files + 1) * Length));
    }

    private static ModelDownload Add(EmulatedHub hub, TemporaryFolder folder, long size)
    {
        var content = HubContent.Safetensors(size, seed: 4);
        hub.Add(new("Some-Org/Some-Model", "model.safetensors", content));
        return new() { Source = new("Some-Org/Some-Model", "model.safetensors"), Target = folder.PathOf("vae/model.safetensors"), SizeInBytes = size, Sha256 = content.Sha256 };
    }

    /// <summary>Lets a process download, and kills it when so many bytes more were served. From then on none is, so that it cannot end before.</summary>
    private static async Task<(bool WasKilled, TimeSpan Worked)> KillAsync(EmulatedHub hub, ModelDownload download, long bytes)
    {
        var (enough, served) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), hub.Storage.BytesServed + bytes);
        hub.Storage.Faults = _ =>
        {
            if (hub.Storage.BytesServed < served)
                return null;
            enough.TrySetResult();
            return HubFaults.Silence;
        };
        var result = await KillAsync(hub, download, () => enough.Task);
        hub.Storage.Faults = null;
        return result;
    }

    /// <summary>Lets a process download, and kills it after a time.</summary>
    private static Task<(bool WasKilled, TimeSpan Worked)> KillAsync(EmulatedHub hub, ModelDownload download, TimeSpan delay) =>
        KillAsync(hub, download, () => Task.Delay(delay, Stop));

    /// <summary>Lets a process download, and kills it.</summary>
    /// <returns>Whether it was killed, else it had finished; and how long it worked.</returns>
    private static async Task<(bool WasKilled, TimeSpan Worked)> KillAsync(EmulatedHub hub, ModelDownload download, Func<Task> untilAsync)
    {
        using var child = DownloadChild.Start(hub.Address, download, BytesPerSecond);
        var errors = child.StandardError.ReadToEndAsync(Stop);
        if (await child.StandardOutput.ReadLineAsync(Stop) != "started")
            Assert.Fail(await errors);

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAny(untilAsync(), child.WaitForExitAsync(Stop));
        child.Kill();
        await child.WaitForExitAsync(Stop);
        Assert.Equal("", await errors);
        return (child.ExitCode != 0, Stopwatch.GetElapsedTime(started));
    }

    private static void EnsureRight(ModelDownload download) =>
        Assert.Equal(download.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(download.Target))));
}
