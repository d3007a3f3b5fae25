using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Files;
using CsCheck;

namespace ComfyAuth.Tests.Files;

public sealed class FileRecoveryTests : IDisposable
{
    private const string Id = "0123456789abcdef";

    private readonly StackFolder _stack = new();
    private readonly StackFolder _elsewhere = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stack.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task A_root_that_never_saw_a_transaction_has_nothing_to_recover()
    {
        Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));
        Assert.False(await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_stack.Root));
    }

    [Fact]
    public async Task A_pending_recovery_can_be_seen_without_the_lock_and_a_living_transaction_is_none()
    {
        GenerationFiles.Create(_stack.Root);
        var seen = new List<bool>();
        await using (FileTransaction transaction = await FileTransaction.BeginAsync(
            _stack.Root, new() { BeforeStep = _ => seen.Add(FileTransaction.IsRecoveryPending(_stack.Root)) }, Stop))
        {
            GenerationFiles.Change(transaction, 1);
            await transaction.CommitAsync(Stop);
        }

        Assert.DoesNotContain(true, seen);
        Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));

        await InterruptAsync(2);
        string interrupted = _stack.Snapshot();
        Assert.True(FileTransaction.IsRecoveryPending(_stack.Root));
        Assert.Equal(interrupted, _stack.Snapshot());

        Assert.True(await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop));
        Assert.False(FileTransaction.IsRecoveryPending(_stack.Root));
        Assert.Equal(1, GenerationFiles.Common(GenerationFiles.Read(_stack.Root)));
    }

    [Fact]
    public async Task A_stack_that_was_moved_after_the_interruption_recovers_at_its_new_place()
    {
        Directory.CreateDirectory(_stack["before"]);
        GenerationFiles.Create(_stack["before"]);
        await TransactionChild.RunToEndAsync(Stop, "commit", _stack["before"], "1", "commit");
        Directory.Move(_stack["before"], _stack["after"]);

        Assert.True(await FileTransaction.RecoverAsync(_stack["after"], cancellationToken: Stop));
        Assert.Equal(0, GenerationFiles.Common(GenerationFiles.Read(_stack["after"])));
    }

    [Fact]
    public async Task The_journal_holds_no_content()
    {
        string journal = "";
        var options = new FileTransactionOptions
        {
            BeforeStep = step =>
            {
                if (step == "commit")
                    journal = _stack.Read(".comfyauth/journal.json");
            },
        };
        _stack.Write("old", "canary-old");

        await using FileTransaction transaction = await FileTransaction.BeginAsync(_stack.Root, options, Stop);
        transaction.Write("old", "canary-new"u8.ToArray(), FileProtection.OwnerOnly);
        await transaction.CommitAsync(Stop);

        Assert.Contains("\"old\"", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", journal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_cut_off_anywhere_changes_nothing()
    {
        GenerationFiles.Create(_stack.Root);
        await InterruptAsync(1);
        string before = _stack.Snapshot();
        byte[] journal = await File.ReadAllBytesAsync(_stack[".comfyauth/journal.json"], Stop);

        for (int length = 0; length < journal.Length; length += length < 100 ? 1 : 37)
            await AssertUnreadableAsync(journal[..length], before);
    }

    [Fact]
    public void A_journal_of_garbage_changes_nothing()
    {
        GenerationFiles.Create(_stack.Root);
        Directory.CreateDirectory(_stack.StateFolder);
        string before = _stack.Snapshot();

        Gen.Byte.Array[0, 200].Sample(
            garbage => AssertUnreadableAsync(garbage, before).GetAwaiter().GetResult(), iter: 200, threads: 1);
    }

    [Fact]
    public async Task A_huge_journal_is_not_read()
    {
        Directory.CreateDirectory(_stack.StateFolder);
        await using (var journal = new FileStream(_stack[".comfyauth/journal.json"], FileMode.CreateNew))
            journal.SetLength(1L << 40);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop));

        Assert.Equal("JournalUnreadable", error.Code);
    }

    [Theory]
    [InlineData("""{ "version": 2 }""")]
    [InlineData("""{ "id": "../../../../etc/x" }""")]
    [InlineData("""{ "id": null }""")]
    [InlineData("""{ "files": null }""")]
    [InlineData("""{ "files": [null] }""")]
    [InlineData("""{ "folders": null }""")]
    [InlineData("""{ "folders": [null] }""")]
    [InlineData("""{ "folders": ["."] }""")]
    [InlineData("""{ "folders": ["../ELSEWHERE/empty"] }""")]
    [InlineData("""{ "folders": ["/tmp"] }""")]
    [InlineData("""{ "folders": ["link-to-folder/empty"] }""")]
    [InlineData("""{ "files": [{ "path": "../ELSEWHERE/file", "target": "../ELSEWHERE/file", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "file", "target": "/tmp/ELSEWHERE/file", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "file", "target": "../ELSEWHERE/file", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "file", "target": "other", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "file", "target": "file", "old": "x", "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "fi\u0000le", "target": "fi\u0000le", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": ".comfyauth/lock", "target": ".comfyauth/lock", "old": null, "new": null }] }""")]
    [InlineData("""{ "files": [{ "path": "", "target": "", "old": null, "new": null }] }""")]
    public async Task A_journal_that_names_what_it_may_not_changes_nothing(string change)
    {
        _stack.Write("file", "0");
        _stack.Write("other", "0");
        Directory.CreateDirectory(_elsewhere["empty"]);
        _elsewhere.Write("file", "0");
        Directory.CreateSymbolicLink(_stack["link-to-folder"], _elsewhere.Root);
        var journal = new JsonObject { ["version"] = 1, ["id"] = Id, ["files"] = new JsonArray(), ["folders"] = new JsonArray() };
        foreach ((string name, JsonNode? value) in JsonNode.Parse(change.Replace("ELSEWHERE", Path.GetFileName(_elsewhere.Root), StringComparison.Ordinal))!.AsObject())
            journal[name] = value?.DeepClone();
        string elsewhere = _elsewhere.Snapshot();

        await AssertUnreadableAsync(Encoding.UTF8.GetBytes(journal.ToJsonString()), _stack.Snapshot());

        Assert.Equal(elsewhere, _elsewhere.Snapshot());
    }

    [Theory]
    [InlineData("journal.json")]
    [InlineData("committed.json")]
    public async Task A_journal_that_came_with_a_repository_touches_nothing_outside(string name)
    {
        // Everything in the root is the attacker's, links and backups too; what lies elsewhere is well known to him.
        _elsewhere.Write("bashrc", "known");
        Directory.CreateDirectory(_elsewhere["empty"]);
        File.CreateSymbolicLink(_stack["link"], _elsewhere["bashrc"]);
        Directory.CreateSymbolicLink(_stack["linked"], _elsewhere.Root);
        string evil = _stack.Write($".comfyauth-{Id}-0.old", "evil");
        foreach ((string? old, string? @new) in ((string?, string?)[])[(null, "known"), ("known", "known"), ("evil", "known"), ("evil", null)])
        {
            foreach (string path in (string[])["link", "linked/bashrc"])
            {
                var journal = new JsonObject
                {
                    ["version"] = 1,
                    ["id"] = Id,
                    ["files"] = new JsonArray(new JsonObject
                    {
                        ["path"] = path, ["target"] = _elsewhere["bashrc"], ["old"] = Hash(old), ["new"] = Hash(@new),
                    }),
                    ["folders"] = new JsonArray(),
                };
                _stack.Write($".comfyauth/{name}", journal.ToJsonString());
                string elsewhere = _elsewhere.Snapshot();

                await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop);

                Assert.Equal(elsewhere, _elsewhere.Snapshot());
                Assert.True(File.Exists(evil));
            }
        }

        static string? Hash(string? text) =>
            text is null ? null : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text))).ToLowerInvariant();
    }

    [Fact]
    public async Task A_file_edited_after_the_interruption_is_not_overwritten()
    {
        GenerationFiles.Create(_stack.Root);
        await InterruptAsync(1);
        _stack.Write("file-3.env", "edited");
        string before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop));

        Assert.Equal("RecoveryConflict", error.Code);
        Assert.Contains(_stack["file-3.env"], error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());

        // As the remedy says.
        string backup = Directory.EnumerateFiles(_stack.Root, "*.old").Single(path => error.Remedy.Contains(path, StringComparison.Ordinal));
        File.Delete(backup);
        await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop);
        Assert.Equal(("edited", "0"), (_stack.Read("file-3.env"), _stack.Read("file-4.env").Split('\n')[0]));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task A_new_file_edited_after_the_interruption_stays_and_the_others_go_back()
    {
        GenerationFiles.Create(_stack.Root);
        await InterruptAsync(1);
        _stack.Write("sub/sometimes.env", "edited");

        await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop);

        Assert.Equal(("edited", "0"), (_stack.Read("sub/sometimes.env"), _stack.Read("file-0.env").Split('\n')[0]));
        Assert.Empty(_stack.Leftovers());
    }

    [Fact]
    public async Task Files_of_the_user_that_look_like_ours_are_left_alone()
    {
        string[] names = [".comfyauth-notes.old", $".comfyauth-{Id}-0.new", "a.old", "a.new"];
        foreach (string name in names)
            _stack.Write(name, "mine");
        await InterruptGenerationsAsync();

        await FileTransaction.RecoverAsync(_stack.Root, cancellationToken: Stop);

        Assert.All(names, name => Assert.Equal("mine", _stack.Read(name)));

        async Task InterruptGenerationsAsync()
        {
            GenerationFiles.Create(_stack.Root);
            await InterruptAsync(1);
        }
    }

    private async Task InterruptAsync(int generation)
    {
        (int exitCode, _) = await TransactionChild.RunToEndAsync(Stop, "commit", _stack.Root, $"{generation}", "commit");
        Assert.NotEqual(0, exitCode);
    }

    private async Task AssertUnreadableAsync(byte[] journal, string snapshot)
    {
        Directory.CreateDirectory(_stack.StateFolder);
        string path = _stack[".comfyauth/journal.json"];
        await File.WriteAllBytesAsync(path, journal, Stop);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => FileTransaction.BeginAsync(_stack.Root, cancellationToken: Stop));

        Assert.Equal("JournalUnreadable", error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Equal(snapshot, _stack.Snapshot());
        Assert.Equal(journal, await File.ReadAllBytesAsync(path, Stop));
    }
}
