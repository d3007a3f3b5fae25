using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

public sealed class FileTransactionFailureTests : IDisposable
{
    private readonly StackFolder _stack = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task What_cannot_be_kept_is_not_changed()
    {
        GenerationFiles.Create(_stack.Root);
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(new() { Keep = (_, _) => throw new IOException("There is no space.") }, Stop));

        Assert.Contains("There is no space.", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failure_at_any_step_changes_nothing(bool hasHardLinks)
    {
        GenerationFiles.Create(_stack.Root);
        bool isCommitted = false;
        int step = 0;
        while (!isCommitted)
        {
            string before = _stack.Snapshot();
            int steps = 0;
            step++;
            var options = new FileTransactionOptions
            {
                WithoutHardLinks = !hasHardLinks,
                BeforeStep = name =>
                {
                    isCommitted |= name == "forget";
                    if (++steps == step)
                        throw new IOException($"failure before step {step}, {name}");
                },
            };
            Exception? error = await Record.ExceptionAsync(() => CommitAsync(options, Stop));

            if (isCommitted)
            {
                Assert.Null(error);
                Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
            }
            else
            {
                Assert.Contains($"failure before step {step},", error!.Message, StringComparison.Ordinal);
                // A copy that became the file again has another inode; all else is as before.
                if (hasHardLinks)
                    Assert.Equal(before, _stack.Snapshot());
                Assert.Equal(0, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
                Assert.Empty(_stack.Leftovers());
            }
        }

        Assert.True(step > 12 * 3, $"only {step} steps");
        // The last failure came after the commit, when only the old files had to be removed.
        Assert.True(FileTransaction.IsRecoveryPending(_stack.Root));
        Assert.True(await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop));
        Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_cancellation_at_any_step_changes_nothing()
    {
        GenerationFiles.Create(_stack.Root);
        string before = _stack.Snapshot();
        for (int step = 1; ; step++)
        {
            using var source = new CancellationTokenSource();
            int steps = 0;
            var options = new FileTransactionOptions
            {
                BeforeStep = name =>
                {
                    if (++steps == step)
                        source.Cancel();
                },
            };
            Exception? error = await Record.ExceptionAsync(() => CommitAsync(options, source.Token));

            if (error is null)
            {
                Assert.True(step > 12 * 3, $"only {step} steps");
                Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
                break;
            }

            Assert.IsAssignableFrom<OperationCanceledException>(error);
            Assert.Equal(before, _stack.Snapshot());
            Assert.Empty(_stack.Leftovers());
        }
    }

    [Fact]
    public async Task Folders_made_for_a_failed_change_are_removed_again()
    {
        _stack.Write("a/kept", "0");
        string before = _stack.Snapshot();
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                if (step == "verify")
                    throw new IOException("no");
            },
        };

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
            transaction.Write("a/b/c/new", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write("a/b/d/new", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write("e/new", "1"u8.ToArray(), FileProtection.Keep);
            await transaction.CommitAsync(Stop);
        });

        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task When_undoing_fails_too_the_next_start_undoes_it()
    {
        GenerationFiles.Create(_stack.Root);
        string before = _stack.Snapshot();
        bool isVerified = false;
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                isVerified |= step == "verify";
                if (isVerified)
                    throw new IOException($"no {step}");
            },
        };

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(options, Stop));

        Assert.Equal("RollbackIncomplete", error.Code);
        Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
        Assert.True(FileTransaction.IsRecoveryPending(_stack.Root));

        await using FileTransaction next = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(11)]
    [InlineData(16)]
    public async Task On_a_full_disk_nothing_changes(int freePages)
    {
        using Mount disk = Mount.Make(_stack["disk"], "-t", "tmpfs", "-o", "size=256k", "none");
        using var stack = new StackFolder(disk.Path);
        GenerationFiles.Create(stack.Root);
        await FileTransaction.RecoverAsync(stack.Root, cancellationToken: Stop);
        Fill(disk.Path, freePages * 4096);
        string before = stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(async () =>
        {
            await using FileTransaction transaction = await FileTransaction.BeginAsync(stack.Root, cancellationToken: Stop);
            for (int generation = 1; generation < 100; generation++)
                transaction.Write($"new-{generation}", new byte[1000], FileProtection.Keep);
            GenerationFiles.Change(transaction, 1);
            await transaction.CommitAsync(Stop);
        });

        Assert.Equal("DiskFull", error.Code);
        Assert.Contains(disk.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, stack.Snapshot());
        Assert.Empty(stack.Leftovers());
    }

    [Fact]
    public async Task On_a_full_disk_an_interrupted_change_can_still_be_undone()
    {
        using Mount disk = Mount.Make(_stack["disk"], "-t", "tmpfs", "-o", "size=512k", "none");
        using var stack = new StackFolder(disk.Path);
        GenerationFiles.Create(stack.Root);
        string before = stack.Snapshot();
        await TransactionChild.RunToEndAsync(Stop, "commit", stack.Root, "1", "commit");
        File.Delete(stack[".comfyauth/lock.json"]);
        Fill(disk.Path, 0);
        File.Move(Path.Combine(disk.Path, "filler"), stack["filler"]);

        await FileTransaction.RecoverAsync(stack.Root, cancellationToken: Stop);

        File.Delete(stack["filler"]);
        Assert.Equal(before, stack.Snapshot());
        Assert.Empty(stack.Leftovers());
    }

    [Fact]
    public async Task On_a_read_only_file_system_nothing_changes()
    {
        _stack.Write("writable", "0");
        _stack.Write("locked/file", "0");
        using Mount disk = Mount.Make(_stack["locked"], "--bind", _stack["locked"]);
        StackFolder.Run("mount", "-o", "remount,ro,bind", disk.Path);

        await AssertRefusedAsync("ReadOnlyFileSystem", "locked/file");
        await AssertRefusedAsync("ReadOnlyFileSystem", "locked/new");
    }

    [Fact]
    public async Task On_a_read_only_root_the_error_says_so()
    {
        using Mount disk = Mount.Make(_stack["locked"], "--bind", _stack["locked"]);
        StackFolder.Run("mount", "-o", "remount,ro,bind", disk.Path);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(disk.Path, cancellationToken: Stop));

        Assert.Equal("ReadOnlyFileSystem", error.Code);
        Assert.False(FileTransaction.IsRecoveryPending(disk.Path));
    }

    [Fact]
    public async Task A_file_that_is_a_mount_point_is_not_replaced()
    {
        _stack.Write("writable", "0");
        using Mount mount = Mount.Make(_stack.Write("mounted", "0"), "--bind", _stack.Write("source", "0"));

        await AssertRefusedAsync("FileBusy", "mounted");
    }

    [Fact]
    public async Task An_immutable_file_is_not_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root makes files immutable");
        _stack.Write("writable", "0");
        string path = _stack.Write("immutable", "0");
        try
        {
            StackFolder.Run("chattr", "+i", path);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            Assert.Skip(error.Message);
        }

        try
        {
            await AssertRefusedAsync("FileAccessDenied", "immutable");
        }
        finally
        {
            StackFolder.Run("chattr", "-i", path);
        }
    }

    [Theory]
    [InlineData("555", "nobody", "644", "folder/file", "FileAccessDenied")]
    [InlineData("555", "nobody", "644", "folder/new", "FileAccessDenied")]
    [InlineData("755", "root", "644", "folder/file", "OwnerCannotBeKept")]
    [InlineData("755", "root", "600", "folder/file", "FileAccessDenied")]
    [InlineData("755", "nobody", "444", "folder/file", null)]
    public async Task An_account_without_the_rights_changes_nothing(string folderMode, string owner, string mode, string path, string? code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root becomes somebody else");
        _stack.Write("folder/file", "0", mode);
        StackFolder.Run("chown", "nobody", _stack.Root, _stack["folder"]);
        StackFolder.Run("chown", owner, _stack["folder/file"]);
        _stack.SetMode("folder", folderMode);
        string before = _stack.Snapshot();

        // The tests may have been built where nobody may look.
        using var programs = new StackFolder();
        StackFolder.Run("cp", "-r", $"{AppContext.BaseDirectory}.", programs.Root);
        using Process child = TransactionChild.Start(new ProcessStartInfo(
            "setpriv",
            ["--reuid", "nobody", "--clear-groups", programs[Path.GetFileName(TransactionChild.Program)], TransactionChild.Verb, "write", _stack.Root, path, "1"]));
        string output = await child.StandardOutput.ReadToEndAsync(Stop);
        string errors = await child.StandardError.ReadToEndAsync(Stop);

        // Nobody may not get there, or .NET may have been installed where he may not look.
        Assert.SkipWhen(errors.Contains("setpriv", StringComparison.Ordinal) || errors.Contains("install .NET", StringComparison.Ordinal), errors);
        Assert.Equal((code ?? "", ""), (output.Trim(), errors));
        if (code is null)
            Assert.Equal(("1", mode), (_stack.Read(path), _stack.Mode(path)));
        else
            Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    private async Task CommitAsync(FileTransactionOptions options, CancellationToken cancellationToken)
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
        GenerationFiles.Change(transaction, 1);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task AssertRefusedAsync(string code, string path)
    {
        string before = _stack.Snapshot();
        var error = await Assert.ThrowsAsync<ComfyAuthException>(async () =>
        {
            await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);
            transaction.Write("writable", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write(path, Encoding.UTF8.GetBytes("1"), FileProtection.Keep);
            await transaction.CommitAsync(Stop);
        });

        Assert.Equal(code, error.Code);
        Assert.Contains(_stack[path], error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    // Leaves so many bytes free.
    private static void Fill(string disk, int free)
    {
        using var filler = new FileStream(Path.Combine(disk, "filler"), FileMode.CreateNew);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                filler.Write(page);
                filler.Flush();
            }
        }
        catch (IOException)
        {
            filler.SetLength(filler.Length / page.Length * page.Length - free);
        }
    }

    private sealed class Mount : IDisposable
    {
        private Mount(string path) => Path = path;

        public string Path { get; }

        public static Mount Make(string path, params string[] arguments)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root mounts");
            if (!File.Exists(path))
                Directory.CreateDirectory(path);
            try
            {
                StackFolder.Run("mount", [.. arguments, path]);
            }
            catch (Exception error) when (error is InvalidOperationException or Win32Exception)
            {
                Assert.Skip(error.Message);
            }

            return new(path);
        }

        // A program that another test is just starting may have a file of ours open for an instant more, until it is executed.
        public void Dispose() => StackFolder.Run("umount", "-l", Path);
    }
}
