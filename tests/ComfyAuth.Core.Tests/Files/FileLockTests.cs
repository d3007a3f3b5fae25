using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ComfyAuth.Files;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Tests.Files;

public sealed class FileLockTests : IDisposable
{
    // What is waited for surely comes; a busy machine may take its time.
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private readonly StackFolder _stack = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string LockPath => _stack["lock"];

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task Two_tasks_of_one_process_exclude_each_other()
    {
        using FileLock first = await FileLock.AcquireAsync(LockPath, Long, cancellationToken: Stop);
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop));

        Assert.Equal("LockTimeout", error.Code);
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", error.Message, StringComparison.Ordinal);

        Task<FileLock> second = FileLock.AcquireAsync(LockPath, Long, cancellationToken: Stop);
        Assert.False(second.IsCompleted);
        first.Dispose();
        using FileLock taken = await second;
        Assert.Equal(Environment.ProcessId, FileLock.ReadOwner(LockPath)?.ProcessId);
        // A second release must not release the next owner's.
        first.Dispose();
        Assert.Equal(Environment.ProcessId, FileLock.ReadOwner(LockPath)?.ProcessId);
    }

    [Fact]
    public async Task After_the_release_there_is_no_owner()
    {
        (await FileLock.AcquireAsync(LockPath, Long, cancellationToken: Stop)).Dispose();

        Assert.Null(FileLock.ReadOwner(LockPath));
        Assert.Equal(["lock"], Directory.EnumerateFiles(_stack.Root).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Two_processes_exclude_each_other_and_the_error_names_the_owner()
    {
        using Process holder = await HoldAsync(LockPath);
        var logger = new ListLogger();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(
            () => FileLock.AcquireAsync(LockPath, TimeSpan.FromMilliseconds(100), cancellationToken: Stop));

        Assert.Equal("LockTimeout", error.Code);
        Assert.Contains(Invariant($"process {holder.Id} "), error.Message, StringComparison.Ordinal);

        // It has said for whom it waits before it waits for the first time.
        Task<FileLock> waiting = FileLock.AcquireAsync(LockPath, Long, logger, Stop);
        Assert.Contains(Invariant($"process {holder.Id} "), Assert.Single(logger.Messages), StringComparison.Ordinal);

        holder.StandardInput.Close();
        using FileLock taken = await waiting;
        await holder.WaitForExitAsync(Stop);
        Assert.Equal(0, holder.ExitCode);
    }

    [Fact]
    public async Task The_lock_of_a_killed_process_is_taken_over_at_once()
    {
        using Process holder = await HoldAsync(LockPath);
        holder.Kill();
        await holder.WaitForExitAsync(Stop);
        Assert.Equal(holder.Id, FileLock.ReadOwner(LockPath)?.ProcessId);
        Assert.False(FileLock.ReadOwner(LockPath)?.IsAlive);

        using FileLock taken = await FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop);

        Assert.Equal(Environment.ProcessId, FileLock.ReadOwner(LockPath)?.ProcessId);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using FileLock first = await FileLock.AcquireAsync(LockPath, Long, cancellationToken: Stop);
        using var source = new CancellationTokenSource();
        Task<FileLock> second = FileLock.AcquireAsync(LockPath, Long, cancellationToken: source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task A_record_of_a_process_that_got_a_dead_ones_id_is_stale()
    {
        WriteOwner(FileLockOwner.Current with { Started = FileLockOwner.Current.Started.AddMinutes(-1) });

        using FileLock taken = await FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop);
    }

    [Fact]
    public async Task A_record_of_a_dead_process_that_nobody_buried_is_stale()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        // The shell becomes a program that never asks for its dead child; the child lives until that has happened.
        using var parent = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3<&0; (read line <&3) & echo $!; exec sleep 600"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        try
        {
            int zombie = int.Parse((await parent.StandardOutput.ReadLineAsync(Stop))!, CultureInfo.InvariantCulture);
            await UntilAsync(async () => (await File.ReadAllTextAsync($"/proc/{parent.Id}/comm", Stop)).StartsWith("sleep", StringComparison.Ordinal));
            await parent.StandardInput.WriteLineAsync();
            await parent.StandardInput.FlushAsync(Stop);
            await UntilAsync(async () => (await File.ReadAllTextAsync($"/proc/{zombie}/stat", Stop)).Contains(") Z ", StringComparison.Ordinal));
            using var process = Process.GetProcessById(zombie);
            var owner = new FileLockOwner(zombie, process.StartTime.ToUniversalTime(), Environment.MachineName);
            WriteOwner(owner);

            Assert.False(owner.IsAlive);
            using FileLock taken = await FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop);
        }
        finally
        {
            parent.Kill();
        }
    }

    [Fact]
    public async Task A_living_owner_keeps_the_lock_even_where_the_kernel_grants_it()
    {
        string elsewhere = _stack["another-lock"];
        using Process living = await HoldAsync(elsewhere);
        WriteOwner(FileLock.ReadOwner(elsewhere)!);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop));

        Assert.Equal("LockTimeout", error.Code);
    }

    [Fact]
    public async Task An_owner_on_another_host_cannot_be_judged_and_keeps_the_lock()
    {
        WriteOwner(FileLockOwner.Current with { ProcessId = 999_999_999, Host = "elsewhere" });

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop));

        Assert.Contains("process 999999999 on elsewhere", error.Message, StringComparison.Ordinal);
        Assert.Contains(LockPath + ".json", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{ "processId": 1, "started": "2020-01-01T00:00:00Z", "host": null }""")]
    public async Task A_record_that_cannot_be_read_is_taken_over(string record)
    {
        _stack.Write("lock.json", record);

        using FileLock taken = await FileLock.AcquireAsync(LockPath, TimeSpan.Zero, cancellationToken: Stop);

        Assert.Equal(Environment.ProcessId, FileLock.ReadOwner(LockPath)?.ProcessId);
    }

    [Fact]
    public async Task Where_the_kernel_locks_nothing_the_record_excludes()
    {
        using Process holder = await HoldAsync(LockPath, hasKernelLocks: false);
        using Process other = Start(LockPath, hasKernelLocks: false, timeoutInSeconds: 0);
        Assert.Equal("LockTimeout", await other.StandardOutput.ReadLineAsync(Stop));

        holder.StandardInput.Close();
        await holder.WaitForExitAsync(Stop);
        using Process third = await HoldAsync(LockPath, hasKernelLocks: false);

        // Two might take over the record of a dead process at once here, so nobody does.
        third.Kill();
        await third.WaitForExitAsync(Stop);
        using Process fourth = Start(LockPath, hasKernelLocks: false, timeoutInSeconds: 0);
        Assert.Equal("LockTimeout", await fourth.StandardOutput.ReadLineAsync(Stop));
    }

    [Fact]
    public async Task Many_takers_of_one_stale_lock_go_one_after_the_other()
    {
        const int takers = 40;
        for (int round = 0; round < 5; round++)
        {
            WriteOwner(FileLockOwner.Current with { ProcessId = 999_999_999 });
            int inside = 0;
            int most = 0;
            await Task.WhenAll(Enumerable.Range(0, takers).Select(_ => Task.Run(
                async () =>
                {
                    using FileLock taken = await FileLock.AcquireAsync(LockPath, Long, cancellationToken: Stop);
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    await Task.Yield();
                    Interlocked.Decrement(ref inside);
                },
                Stop)));
            Assert.Equal(1, most);
        }
    }

    [Fact]
    public async Task Transactions_of_several_processes_lose_no_update()
    {
        const int processes = 3;
        const int times = 30;
        _stack.Write("count", "0");

        (int ExitCode, string Output)[] ends = await Task.WhenAll(Enumerable.Range(0, processes)
            .Select(_ => TransactionChild.RunToEndAsync(Stop, "count", _stack.Root, $"{times}")));

        Assert.All(ends, end => Assert.Equal((0, ""), end));
        Assert.Equal($"{processes * times}", _stack.Read("count"));
    }

    [Fact]
    public async Task A_transaction_waits_for_the_other_one()
    {
        await using FileTransaction first = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);
        var error = await Assert.ThrowsAsync<ComfyAuthException>(
            () => FileTransaction.BeginAsync(_stack.Root, new() { LockTimeout = TimeSpan.Zero }, Stop));
        Assert.Equal("LockTimeout", error.Code);

        Task<FileTransaction> second = FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);
        await first.DisposeAsync();
        await (await second).DisposeAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (long start = Stopwatch.GetTimestamp(); !await isSo(); await Task.Yield())
            Assert.True(Stopwatch.GetElapsedTime(start) < Long, "It has not come to that.");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private void WriteOwner(FileLockOwner owner) =>
        File.WriteAllText(LockPath + ".json", JsonSerializer.Serialize(owner, FilesJson.Default.FileLockOwner));

    private static async Task<Process> HoldAsync(string path, bool hasKernelLocks = true)
    {
        Process holder = Start(path, hasKernelLocks, timeoutInSeconds: (int)Long.TotalSeconds);
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(Stop));
        return holder;
    }

    private static Process Start(string path, bool hasKernelLocks, int timeoutInSeconds)
    {
        var start = new ProcessStartInfo(TransactionChild.Program, [TransactionChild.Verb, "hold", path, $"{timeoutInSeconds}"]);
        if (!hasKernelLocks)
            start.Environment["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        return TransactionChild.Start(start);
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Add(formatter(state, exception));
    }
}
