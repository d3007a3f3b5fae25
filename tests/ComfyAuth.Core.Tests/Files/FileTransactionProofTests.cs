using System.Diagnostics;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

public sealed class FileTransactionProofTests : IDisposable
{
    private readonly StackFolder _stack = new();

    public FileTransactionProofTests() => GenerationFiles.Create(_stack.Root);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task A_proof_sees_the_new_files_and_keeps_them_when_it_succeeds()
    {
        int? seen = null;

        await CommitAsync(_ =>
        {
            seen = Generation;
            // Our own process is at work: nothing has been interrupted.
            Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));
            return Task.CompletedTask;
        });

        Assert.Equal((1, 1), (seen, Generation));
        Assert.False(await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop));
        Assert.Empty(_stack.Leftovers());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_proof_that_fails_puts_everything_back_as_it_was(bool hasHardLinks)
    {
        File.SetLastWriteTimeUtc(_stack["file-0.env"], new DateTime(2025, 10, 30, 22, 0, 0, DateTimeKind.Utc));
        _stack.SetMode("file-1.env", "640");
        (string before, string times) = (_stack.Snapshot(), Times());

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => CommitAsync(
            async _ =>
            {
                await Task.Yield();
                throw new InvalidOperationException($"not proven of {Generation}");
            },
            new() { WithoutHardLinks = !hasHardLinks }));

        Assert.Equal("not proven of 1", error.Message);
        Assert.Equal(0, Generation);
        Assert.Equal("640", OperatingSystem.IsWindows() ? "640" : _stack.Mode("file-1.env"));
        if (hasHardLinks)
            Assert.Equal((before, times), (_stack.Snapshot(), Times()));
        Assert.Empty(_stack.Leftovers());
        Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));
    }

    [Fact]
    public async Task A_proof_that_is_cancelled_puts_everything_back()
    {
        string before = _stack.Snapshot();
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CommitAsync(
            async stop =>
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, stop);
            },
            stop: cancel.Token));

        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_cancellation_that_comes_after_the_proof_undoes_nothing()
    {
        using var cancel = new CancellationTokenSource();

        await CommitAsync(_ => cancel.CancelAsync(), stop: cancel.Token);

        Assert.Equal(1, Generation);
    }

    [Fact]
    public async Task A_proof_runs_too_where_no_file_has_to_be_changed()
    {
        string before = _stack.Snapshot();
        int proofs = 0;
        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);

        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.CommitAsync(
            _ =>
            {
                proofs++;
                throw new InvalidOperationException();
            },
            Stop));

        Assert.Equal(1, proofs);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Nobody_else_gets_the_root_while_a_proof_runs()
    {
        await CommitAsync(async stop =>
        {
            var error = await Assert.ThrowsAsync<ComfyAuthException>(
                () => FileTransaction.BeginAsync(_stack.Root, new() { LockTimeout = TimeSpan.Zero }, stop));
            Assert.Equal("LockTimeout", error.Code);
        });

        await (await FileTransaction.BeginAsync(_stack.Root, new() { LockTimeout = TimeSpan.Zero }, Stop)).DisposeAsync();
    }

    [Fact]
    public async Task What_somebody_else_writes_during_a_proof_that_fails_is_not_overwritten()
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(_ =>
        {
            _stack.Write("file-3.env", "by somebody else");
            throw new InvalidOperationException("not proven");
        }));

        Assert.Equal("RollbackIncomplete", error.Code);
        Assert.Contains("not proven", error.Message, StringComparison.Ordinal);
        Assert.Contains("file-3.env", error.Message, StringComparison.Ordinal);
        Assert.Equal("by somebody else", _stack.Read("file-3.env"));
        Assert.True(FileTransaction.IsRecoveryPending(_stack.Root));
    }

    [Fact]
    public async Task A_commit_point_that_cannot_be_reached_after_the_proof_puts_everything_back()
    {
        string before = _stack.Snapshot();
        bool isProven = false;
        var options = new FileTransactionOptions { BeforeStep = step => Assert.False(step == "commit") };

        await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(_ => Task.FromResult(isProven = true), options));

        Assert.True(isProven);
        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task Killed_during_the_proof_the_next_run_puts_the_old_files_back()
    {
        (string before, string times) = (_stack.Snapshot(), Times());
        using Process child = TransactionChild.Start(["prove", _stack.Root, "1"]);
        if (await child.StandardOutput.ReadLineAsync(Stop) != "proving")
            Assert.Fail(await child.StandardError.ReadToEndAsync(Stop));
        Assert.Equal(1, Generation);
        Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));

        child.Kill();
        await child.WaitForExitAsync(Stop);

        Assert.Equal(1, Generation);
        Assert.True(FileTransaction.IsRecoveryPending(_stack.Root));
        Assert.True(await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop));
        Assert.Equal((before, times), (_stack.Snapshot(), Times()));
        Assert.Empty(_stack.Leftovers());
    }

    private int? Generation => GenerationFiles.Common(GenerationFiles.Read(_stack.Root));

    private string Times() => string.Join(' ', GenerationFiles.Names.Select(name => File.GetLastWriteTimeUtc(_stack[name]).Ticks));

    private async Task CommitAsync(Func<CancellationToken, Task> prove, FileTransactionOptions? options = null, CancellationToken? stop = null)
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
        GenerationFiles.Change(transaction, 1);
        await transaction.CommitAsync(prove, stop ?? Stop);
    }
}
