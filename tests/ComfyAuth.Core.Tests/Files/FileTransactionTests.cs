using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

public sealed class FileTransactionTests : IDisposable
{
    private readonly StackFolder _stack = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task Files_are_written_made_and_deleted_together()
    {
        _stack.Write("old.env", "A=1");
        _stack.Write("gone.env", "B=1");

        await CommitAsync(transaction =>
        {
            transaction.Write("old.env", "A=2"u8.ToArray(), FileProtection.Keep);
            transaction.Write(_stack["a/b/new.env"], "C=1"u8.ToArray(), FileProtection.Keep);
            transaction.Delete("gone.env");
            transaction.Delete("never.env");
        });

        Assert.Equal(("A=2", "C=1"), (_stack.Read("old.env"), _stack.Read("a/b/new.env")));
        Assert.False(File.Exists(_stack["gone.env"]));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task Without_a_commit_nothing_changes()
    {
        _stack.Write("old.env", "A=1");
        string before = _stack.Snapshot();

        await using (FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop))
        {
            transaction.Write("old.env", "A=2"u8.ToArray(), FileProtection.OwnerOnly);
            transaction.Write("a/new.env", "C=1"u8.ToArray(), FileProtection.Keep);
        }

        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_finished_transaction_takes_no_more_requests()
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop);
        await transaction.CommitAsync(Stop);

        Assert.Throws<InvalidOperationException>(() => transaction.Delete("a"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.CommitAsync(Stop));
    }

    [Fact]
    public async Task Lock_and_journal_lie_in_a_private_folder_that_git_ignores()
    {
        await CommitAsync(transaction => transaction.Write("a", "1"u8.ToArray(), FileProtection.Keep));

        Assert.Equal("*\n", _stack.Read(".comfyauth/.gitignore"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal("700", _stack.Mode(".comfyauth"));
    }

    [Fact]
    public async Task Of_several_requests_for_one_file_the_last_wins()
    {
        _stack.Write("twice.env", "0");
        _stack.Write("deleted.env", "0");

        await CommitAsync(transaction =>
        {
            transaction.Write("twice.env", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write("twice.env", "2"u8.ToArray(), FileProtection.Keep);
            transaction.Write("deleted.env", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Delete("deleted.env");
        });

        Assert.Equal("2", _stack.Read("twice.env"));
        Assert.False(File.Exists(_stack["deleted.env"]));
    }

    [Fact]
    public async Task Several_names_of_one_file_are_recognised()
    {
        _stack.Write("real/one.env", "0");
        File.CreateSymbolicLink(_stack["link.env"], "real/one.env");
        Directory.CreateSymbolicLink(_stack["linked"], "real");

        await CommitAsync(transaction =>
        {
            transaction.Write("real/one.env", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write("real/../link.env", "2"u8.ToArray(), FileProtection.Keep);
            transaction.Write("linked/one.env", "3"u8.ToArray(), FileProtection.Keep);
        });

        Assert.Equal("3", _stack.Read("real/one.env"));
    }

    [Fact]
    public async Task Links_stay_and_what_they_finally_point_at_is_replaced()
    {
        using var elsewhere = new StackFolder();
        elsewhere.Write("outside.env", "0");
        _stack.Write("deep/target.env", "0");
        File.CreateSymbolicLink(_stack["deep/second"], "../deep/target.env");
        File.CreateSymbolicLink(_stack["first"], "deep/second");
        File.CreateSymbolicLink(_stack["outside"], elsewhere["outside.env"]);
        File.CreateSymbolicLink(_stack["dangling"], "deep/made.env");
        string[] links = ["first", "deep/second", "outside", "dangling"];

        await CommitAsync(transaction =>
        {
            foreach (string link in links.Where(link => link != "deep/second"))
                transaction.Write(link, Encoding.UTF8.GetBytes(link), FileProtection.OwnerOnly);
        });

        Assert.All(links, link => Assert.NotNull(new FileInfo(_stack[link]).LinkTarget));
        Assert.Equal(
            ("first", "outside", "dangling"),
            (_stack.Read("deep/target.env"), elsewhere.Read("outside.env"), _stack.Read("deep/made.env")));
        Assert.Empty(_stack.Leftovers());
        Assert.Empty(elsewhere.Leftovers());
    }

    [Fact]
    public async Task The_folder_above_a_linked_folder_is_that_of_its_target()
    {
        _stack.Write("a/b/file.env", "0");
        _stack.Write("file.env", "untouched");
        Directory.CreateSymbolicLink(_stack["shortcut"], "a/b");
        _stack.Write("a/file.env", "0");
        File.CreateSymbolicLink(_stack["link"], "shortcut/../file.env");

        await CommitAsync(transaction => transaction.Write("link", "1"u8.ToArray(), FileProtection.Keep));

        Assert.Equal(("1", "untouched"), (_stack.Read("a/file.env"), _stack.Read("file.env")));
    }

    [Fact]
    public async Task A_root_that_is_a_link_is_the_folder_it_points_at()
    {
        string link = _stack.Root + "-link";
        Directory.CreateSymbolicLink(link, _stack.Root);
        try
        {
            await using FileTransaction transaction = await FileTransaction.BeginAsync(link, cancellationToken: Stop);
            transaction.Write(Path.Combine(link, "a"), "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write(_stack["b"], "2"u8.ToArray(), FileProtection.Keep);
            await transaction.CommitAsync(Stop);

            Assert.Equal(("1", "2"), (_stack.Read("a"), _stack.Read("b")));
        }
        finally
        {
            Directory.Delete(link);
        }
    }

    [Theory]
    [InlineData("loop", "LinkLoop")]
    [InlineData("folder", "TargetIsDirectory")]
    [InlineData("device", "TargetIsNotFile")]
    [InlineData("nowhere", "FolderMissing")]
    [InlineData("file/below", "FolderMissing")]
    [InlineData("../outside", "PathOutsideRoot")]
    [InlineData("/etc/outside", "PathOutsideRoot")]
    [InlineData(".comfyauth/lock", "PathOutsideRoot")]
    [InlineData("into-state", "PathOutsideRoot")]
    public async Task A_path_that_cannot_be_written_stops_the_whole_change(string path, string code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the links need Unix paths");
        _stack.Write("file", "0");
        File.CreateSymbolicLink(_stack["loop"], "pool");
        File.CreateSymbolicLink(_stack["pool"], "loop");
        Directory.CreateDirectory(_stack["folder"]);
        File.CreateSymbolicLink(_stack["device"], "/dev/null");
        File.CreateSymbolicLink(_stack["nowhere"], "/nonexistent/folder/nowhere");
        File.CreateSymbolicLink(_stack["into-state"], ".comfyauth/journal.json");
        string before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(transaction =>
        {
            transaction.Write("file", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write(path, "1"u8.ToArray(), FileProtection.Keep);
        }));

        Assert.Equal(code, error.Code);
        Assert.Contains(Path.GetFileName(path), error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
        Assert.Equal(before, _stack.Snapshot());
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_root_that_does_not_exist_is_not_made()
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(_stack["no"], cancellationToken: Stop));

        Assert.Equal("RootMissing", error.Code);
        Assert.False(Directory.Exists(_stack["no"]));
    }

    [Fact]
    public async Task A_state_folder_that_is_a_link_is_refused()
    {
        Directory.CreateDirectory(_stack["other"]);
        Directory.CreateSymbolicLink(_stack[".comfyauth"], "other");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop));

        Assert.Equal("StateFolderIsNotFolder", error.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_stack["other"]));
    }

    [Theory]
    [InlineData("644", "644", "600")]
    [InlineData("640", "640", "600")]
    [InlineData("444", "444", "600")]
    [InlineData("755", "755", "600")]
    [InlineData("602", "602", "600")]
    [InlineData("400", "400", "400")]
    [InlineData("600", "600", "600")]
    public async Task The_mode_stays_unless_protected(string mode, string kept, string ownerOnly)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        foreach (string name in (string[])["keep", "owner", "protect", "both"])
            _stack.Write(name, "0", mode);

        await CommitAsync(transaction =>
        {
            transaction.Write("keep", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write("owner", "1"u8.ToArray(), FileProtection.OwnerOnly);
            transaction.Protect("protect");
            transaction.Protect("both");
            transaction.Write("both", "1"u8.ToArray(), FileProtection.Keep);
        });

        Assert.Equal(
            (kept, ownerOnly, ownerOnly, ownerOnly),
            (_stack.Mode("keep"), _stack.Mode("owner"), _stack.Mode("protect"), _stack.Mode("both")));
        Assert.Equal(("1", "1", "0", "1"), (_stack.Read("keep"), _stack.Read("owner"), _stack.Read("protect"), _stack.Read("both")));
    }

    [Fact]
    public async Task A_new_file_gets_the_usual_mode_or_is_owner_only()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        _stack.Write("usual", "");

        await CommitAsync(transaction =>
        {
            transaction.Write("keep", ""u8.ToArray(), FileProtection.Keep);
            transaction.Write("owner", ""u8.ToArray(), FileProtection.OwnerOnly);
        });

        Assert.Equal((_stack.Mode("usual"), "600"), (_stack.Mode("keep"), _stack.Mode("owner")));
    }

    [Fact]
    public async Task A_secret_is_private_at_every_instant()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        _stack.Write("old", "0", "644");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task<HashSet<string>> watch = Task.Factory.StartNew(() => WatchModes(end.Token), Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        HashSet<string> modes = [];
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                if (step == "replace")
                    LookAtModes(modes);
            },
        };

        // Large, so that the watcher comes by while it is being written; whether it does or not, all is looked at before it is put in its place.
        for (byte content = 1; content <= 5; content++)
        {
            byte[] secret = new byte[10_000_000];
            secret[0] = content;
            await CommitAsync(
                transaction =>
                {
                    transaction.Write("old", secret, FileProtection.OwnerOnly);
                    transaction.Write($"new-{content}", secret, FileProtection.OwnerOnly);
                },
                options);
        }

        await end.CancelAsync();
        modes.UnionWith(await watch);
        Assert.Equal(["600"], modes);

        HashSet<string> WatchModes(CancellationToken stop)
        {
            HashSet<string> seen = [];
            while (!stop.IsCancellationRequested)
                LookAtModes(seen);
            return seen;
        }

        void LookAtModes(HashSet<string> seen)
        {
            foreach (string path in Directory.EnumerateFiles(_stack.Root, ".comfyauth-*.new"))
            {
                try
                {
                    seen.Add(_stack.Mode(path));
                }
                catch (FileNotFoundException)
                {
                    // It has just become the target.
                }
            }
        }
    }

    [Fact]
    public async Task A_commit_at_work_keeps_the_lock_until_it_has_ended()
    {
        using var go = new ManualResetEventSlim();
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                if (step == "commit")
                    go.Wait(Stop);
            },
        };
        FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
        transaction.Write("a", "1"u8.ToArray(), FileProtection.Keep);
        Task commit = transaction.CommitAsync(Stop);
        Task disposal = transaction.DisposeAsync().AsTask();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(
            () => FileTransaction.BeginAsync(_stack.Root, new() { LockTimeout = TimeSpan.Zero }, Stop));
        Assert.Equal("LockTimeout", error.Code);

        go.Set();
        await commit;
        await disposal;
        Assert.Equal("1", _stack.Read("a"));
    }

    [Fact]
    public async Task A_thousand_files_change_together()
    {
        await CommitAsync(transaction =>
        {
            for (int i = 0; i < 1000; i++)
                transaction.Write($"folder-{i % 10}/{i}", "1"u8.ToArray(), FileProtection.Keep);
        });

        Assert.Equal(1000, Directory.EnumerateFiles(_stack.Root, "*", SearchOption.AllDirectories).Count(path => !path.StartsWith(_stack.StateFolder, StringComparison.Ordinal)));
        Assert.Empty(_stack.Leftovers());
    }

    [Theory]
    [InlineData("1234:5678")]
    [InlineData("3000000000:4000000000")]
    public async Task Root_gives_the_new_file_to_the_owner_of_the_old_one(string owner)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root may give files away");
        foreach (string name in (string[])["keep", "protect"])
            StackFolder.Run("chown", owner, _stack.Write(name, "0", "640"));

        await CommitAsync(transaction =>
        {
            transaction.Write("keep", "1"u8.ToArray(), FileProtection.Keep);
            transaction.Protect("protect");
        });

        Assert.Equal($"{owner} 640\n{owner} 600\n", StackFolder.Run("stat", "-c", "%u:%g %a", _stack["keep"], _stack["protect"]));
    }

    [Fact]
    public async Task Files_that_are_as_wanted_are_not_touched()
    {
        _stack.Write("same", "1", "600");
        string before = _stack.Snapshot();
        int steps = 0;

        await CommitAsync(
            transaction =>
            {
                transaction.Write("same", "1"u8.ToArray(), FileProtection.OwnerOnly);
                transaction.Protect("same");
                transaction.Delete("missing");
            },
            new() { BeforeStep = _ => steps++ });

        Assert.Equal(before, _stack.Snapshot());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(0, steps);
    }

    [Fact]
    public async Task What_is_to_be_protected_must_exist()
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(transaction => transaction.Protect("missing")));

        Assert.Equal("FileMissing", error.Code);
    }

    [Theory]
    [InlineData("0", "0", true)]
    [InlineData("0", "1", false)]
    [InlineData("0", null, false)]
    [InlineData(null, "", false)]
    [InlineData(null, null, true)]
    public async Task A_change_planned_on_other_content_is_refused(string? actual, string? expected, bool isFine)
    {
        if (actual is not null)
            _stack.Write("file", actual);
        string before = _stack.Snapshot();
        Task commit = CommitAsync(transaction =>
        {
            transaction.Expect("file", expected is null ? null : Encoding.UTF8.GetBytes(expected));
            transaction.Write("other", "new"u8.ToArray(), FileProtection.Keep);
        });

        if (isFine)
        {
            await commit;
            Assert.Equal("new", _stack.Read("other"));
        }
        else
        {
            var error = await Assert.ThrowsAsync<ComfyAuthException>(() => commit);
            Assert.Equal("FileChangedMeanwhile", error.Code);
            Assert.Equal(before, _stack.Snapshot());
        }
    }

    [Theory]
    [InlineData("backup", false)]
    [InlineData("stage", false)]
    [InlineData("replace", false)]
    [InlineData("verify", true)]
    public async Task An_edit_during_the_commit_is_not_lost(string atStep, bool throughOldHandle)
    {
        _stack.Write("first", "0");
        _stack.Write("file", "0");
        using var editor = new FileStream(_stack["file"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                if (step != atStep)
                    return;
                if (throughOldHandle)
                    editor.WriteByte((byte)'E');
                else
                    File.WriteAllText(_stack["file"], "E");
                editor.Flush();
            },
        };

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(
            transaction =>
            {
                transaction.Write("first", "1"u8.ToArray(), FileProtection.Keep);
                transaction.Write("file", "1"u8.ToArray(), FileProtection.Keep);
            },
            options));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Equal(("0", "E"), (_stack.Read("first"), _stack.Read("file")));
        Assert.Empty(_stack.Leftovers());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_somebody_makes_during_the_commit_is_not_replaced(bool hasHardLinks)
    {
        var options = new FileTransactionOptions
        {
            WithoutHardLinks = !hasHardLinks,
            BeforeStep = step =>
            {
                if (step == "replace")
                    _stack.Write("new", "theirs");
            },
        };

        var error = await Assert.ThrowsAsync<ComfyAuthException>(
            () => CommitAsync(transaction => transaction.Write("new", "ours"u8.ToArray(), FileProtection.Keep), options));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Equal("theirs", _stack.Read("new"));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task Empty_large_and_oddly_named_files_are_fine()
    {
        string longest = new('n', 255);
        const string odd = "a b\n\u00e4'\"$\u6f22.env";
        byte[] large = new byte[20_000_000];
        new Random(1).NextBytes(large);
        _stack.Write(longest, "0");

        await CommitAsync(transaction =>
        {
            transaction.Write("empty", default, FileProtection.OwnerOnly);
            transaction.Write("large", large, FileProtection.Keep);
            transaction.Write(longest, "1"u8.ToArray(), FileProtection.Keep);
            transaction.Write(odd, "1"u8.ToArray(), FileProtection.Keep);
        });
        await CommitAsync(transaction => transaction.Protect("large"));

        Assert.Equal(("", "1", "1"), (_stack.Read("empty"), _stack.Read(longest), _stack.Read(odd)));
        Assert.Equal(large, await File.ReadAllBytesAsync(_stack["large"], Stop));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_pipe_is_not_read_for_ever()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        StackFolder.Run("mkfifo", _stack["pipe"]);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(
            () => CommitAsync(transaction => transaction.Write("pipe", "1"u8.ToArray(), FileProtection.Keep)));

        Assert.Equal("TargetIsNotFile", error.Code);
    }

    private async Task CommitAsync(Action<FileTransaction> change, FileTransactionOptions? options = null)
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
        change(transaction);
        await transaction.CommitAsync(Stop);
    }
}
