using System.Diagnostics;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

public sealed class FileTransactionKillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Killed_at_any_of_300_random_instants_all_files_are_old_or_all_are_new()
    {
        const int workers = 2;
        const int killsEach = 150;
        const int seed = 20260117;
        // On threads of their own: those that the other tests share would be blocked for a minute.
        (int Pending, int Mixed)[] counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Factory.StartNew(
            () => KillOften(killsEach, new Random(seed + worker)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        (int pending, int mixed) = (counts.Sum(count => count.Pending), counts.Sum(count => count.Mixed));
        output.WriteLine($"of {workers * killsEach} kills {pending} left a journal, {mixed} left files of two generations");
        // Otherwise the kills missed the window they are meant to hit.
        Assert.True(pending > 30, $"only {pending} kills hit a commit");
    }

    [Fact]
    public async Task Killed_before_any_single_step_all_files_are_old_or_all_are_new()
    {
        using var folder = new StackFolder(FastFolder());
        GenerationFiles.Create(folder.Root);
        int generation = 0;
        int step = 0;
        for (int exitCode = -1; exitCode != 0;)
        {
            step++;
            (exitCode, string text) = await TransactionChild.RunToEndAsync(
                TestContext.Current.CancellationToken, "commit", folder.Root, $"{generation + 1}", $"{step}");
            Assert.Equal("", text);

            await FileTransaction.RecoverAsync(folder.Root, cancellationToken: TestContext.Current.CancellationToken);
            int? now = GenerationFiles.Common(GenerationFiles.Read(folder.Root));
            Assert.True(now == generation || now == generation + 1, $"step {step}: {now} after {generation}");
            Assert.Empty(folder.Leftovers());
            generation = now!.Value;
        }

        Assert.True(step > 12 * 3, $"only {step} steps");
    }

    [Fact]
    public async Task Killed_before_any_single_step_of_a_recovery_the_next_recovery_finishes()
    {
        using var folder = new StackFolder(FastFolder());
        GenerationFiles.Create(folder.Root);
        string before = folder.Snapshot();
        (int exitCode, _) = await TransactionChild.RunToEndAsync(
            TestContext.Current.CancellationToken, "commit", folder.Root, "1", "commit");
        Assert.NotEqual(0, exitCode);
        Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(folder.Root)));

        int deaths = 0;
        // Each run dies one step further on, since what the earlier ones did need not be done again.
        for (int step = 1; exitCode != 0; step++, deaths++)
        {
            (exitCode, _) = await TransactionChild.RunToEndAsync(
                TestContext.Current.CancellationToken, "recover", folder.Root, $"{step}");
        }

        Assert.True(deaths > 12, $"only {deaths} deaths");
        Assert.Equal(before, folder.Snapshot());
        Assert.Empty(folder.Leftovers());
    }

    private static (int Pending, int Mixed) KillOften(int kills, Random random)
    {
        using var folder = new StackFolder(FastFolder());
        GenerationFiles.Create(folder.Root);

        int pending = 0;
        int mixed = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            KillOnce(folder.Root, random);
            IReadOnlyList<int?> left = GenerationFiles.Read(folder.Root);
            pending += FileTransaction.IsRecoveryPending(folder.Root) ? 1 : 0;
            mixed += GenerationFiles.Common(left) is null ? 1 : 0;

            FileTransaction.RecoverAsync(folder.Root).GetAwaiter().GetResult();
            IReadOnlyList<int?> recovered = GenerationFiles.Read(folder.Root);
            Assert.True(
                GenerationFiles.Common(recovered) is not null,
                $"kill {kill}: {string.Join(' ', left)} became {string.Join(' ', recovered)}");
            Assert.Empty(folder.Leftovers());
            Assert.False(FileTransaction.IsRecoveryPending(folder.Root));
        }

        return (pending, mixed);
    }

    private static void KillOnce(string root, Random random)
    {
        // It says so in the middle of a commit, at one step or another: where it gets no time to go on, it is killed there.
        using Process child = TransactionChild.Start(["loop", root, $"{random.Next(2, 36)}"]);
        if (child.StandardOutput.ReadLine() != "looping")
            Assert.Fail(child.StandardError.ReadToEnd());

        long instant = Stopwatch.GetTimestamp() + random.NextInt64(Stopwatch.Frequency / 50);
        while (Stopwatch.GetTimestamp() < instant)
            Thread.SpinWait(10);
        child.Kill();
        child.WaitForExit();
    }

    // In memory, where there is one: a process waiting for a disk is not killed between two renames.
    private static string? FastFolder() => Directory.Exists("/dev/shm") ? "/dev/shm" : null;
}
