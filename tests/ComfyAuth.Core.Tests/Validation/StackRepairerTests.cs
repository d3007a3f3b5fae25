using System.Text;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class StackRepairerTests : IDisposable
{
    private readonly TemporaryFolder _around = new();
    private readonly TemporaryFolder _folder;
    private readonly List<string> _asked = [];

    private GenAIStack Stack => GenAIStack.Find(_folder.Path);

    private string StateFolder => Path.Combine(_folder.Path, ".comfyauth", "repairs");

    public StackRepairerTests()
    {
        _folder = new(_around.Path);
        _folder.Write("comfyauth.yml", "version: 1\n");
    }

    public void Dispose() => _around.Dispose();

    [Fact]
    public async Task What_was_mended_passes_afterwards_and_is_marked_as_mended()
    {
        _folder.Write("a.txt", "bad");

        var repair = await RepairAsync(Replacing("a.txt"));

        var after = await RunAsync(Replacing("a.txt"));
        Assert.Equal("good", _folder.Read("a.txt"));
        Assert.Equal((CheckStatus.Passed, true), (repair.Mark(after[0]).Status, repair.Mark(after[0]).Fixed));
        Assert.NotNull(repair.Id);
    }

    [Fact]
    public async Task Each_change_is_asked_for_and_a_declined_one_is_not_made()
    {
        _folder.Write("a.txt", "bad");
        _folder.Write("b.txt", "bad");

        var repair = await RepairAsync([Replacing("a.txt"), Replacing("b.txt")], change => change.Target.EndsWith("b.txt", StringComparison.Ordinal));

        Assert.Equal([Path.Combine(_folder.Path, "a.txt"), Path.Combine(_folder.Path, "b.txt")], _asked);
        Assert.Equal(("bad", "good"), (_folder.Read("a.txt"), _folder.Read("b.txt")));
        Assert.Equal(["file.b"], repair.Mended.Select(result => result.Id));
    }

    [Fact]
    public async Task A_change_that_two_findings_need_is_declined_once()
    {
        _folder.Write("a.txt", "bad");
        _folder.Write("b.txt", "bad");

        await RepairAsync([Replacing("a.txt"), Replacing("b.txt", write: "a.txt")], _ => false);

        Assert.Equal([Path.Combine(_folder.Path, "a.txt")], _asked);
    }

    [Fact]
    public async Task Nothing_is_kept_where_nothing_was_changed()
    {
        _folder.Write("a.txt", "bad");

        var repair = await RepairAsync([Replacing("a.txt")], _ => false);

        Assert.Null(repair.Id);
        Assert.Empty(RepairUndo.Ids(Stack));
        Assert.False(Directory.Exists(StateFolder));
    }

    [Fact]
    public async Task A_finding_that_cannot_be_mended_spares_the_next()
    {
        _folder.Write("a.txt", "bad");
        _folder.Write("b.txt", "bad");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "folder"));

        var repair = await RepairAsync([Replacing("a.txt", write: "folder"), Replacing("b.txt")], _ => true);

        var (result, error) = Assert.Single(repair.Errors);
        Assert.Equal(("file.a", "TargetIsDirectory"), (result.Id, Assert.IsType<ComfyAuthException>(error).Code));
        Assert.Equal("good", _folder.Read("b.txt"));
    }

    [Fact]
    public async Task What_another_change_has_mended_already_is_not_changed_again()
    {
        _folder.Write("a.txt", "bad");

        var repair = await RepairAsync([Replacing("a.txt"), Replacing("a.txt", id: "file.again")], _ => true);

        Assert.Single(_asked);
        Assert.Equal(["file.a", "file.again"], repair.Mended.Select(result => result.Id));
    }

    [Fact]
    public async Task Undone_every_file_holds_the_bytes_that_it_held()
    {
        byte[] old = [0xEF, 0xBB, 0xBF, .. "bad\r\n"u8];
        File.WriteAllBytes(Path.Combine(_folder.Path, "a.txt"), old);
        await RepairAsync([Replacing("a.txt"), Replacing("new.txt")], _ => true);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "new.txt")));

        var undone = await RepairUndo.Plan(Stack).ApplyAsync(stop: TestContext.Current.CancellationToken);

        Assert.Equal(2, undone.Count);
        Assert.Equal(old, File.ReadAllBytes(Path.Combine(_folder.Path, "a.txt")));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "new.txt")));
        Assert.Equal("RepairNotFound", Assert.Throws<ComfyAuthException>(() => RepairUndo.Plan(Stack)).Code);
    }

    [Fact]
    public async Task What_somebody_has_changed_since_is_not_overwritten()
    {
        _folder.Write("a.txt", "bad");
        await RepairAsync(Replacing("a.txt"));
        _folder.Write("a.txt", "mine");

        var error = Assert.Throws<ComfyAuthException>(() => RepairUndo.Plan(Stack));

        Assert.Equal("RepairChangedSince", error.Code);
        Assert.Contains("a.txt", error.Message, StringComparison.Ordinal);
        Assert.Equal("mine", _folder.Read("a.txt"));
    }

    [Fact]
    public async Task A_declined_undo_leaves_the_repair_to_be_undone_later()
    {
        _folder.Write("a.txt", "bad");
        var repair = await RepairAsync(Replacing("a.txt"));

        Assert.Empty(await RepairUndo.Plan(Stack).ApplyAsync(_ => Task.FromResult(false), TestContext.Current.CancellationToken));

        Assert.Equal("good", _folder.Read("a.txt"));
        Assert.Equal([repair.Id!], RepairUndo.Ids(Stack));
    }

    [Fact]
    public async Task A_repair_that_was_killed_can_be_undone()
    {
        _folder.Write("a.txt", "bad");
        var record = FileRecord.Begin(_folder.Path, DateTimeOffset.UnixEpoch);
        record.Keep("a.txt", FileDigest.Of("good"u8.ToArray()));
        _folder.Write("a.txt", "good");

        await RepairUndo.Plan(Stack, "19700101-000000").ApplyAsync(stop: TestContext.Current.CancellationToken);

        Assert.Equal("bad", _folder.Read("a.txt"));
    }

    [Fact]
    public async Task What_somebody_made_of_a_file_after_a_repair_that_was_killed_is_not_overwritten()
    {
        foreach (var name in new[] { "a.txt", "b.txt" })
        {
            _folder.Write(name, "bad");
            FileRecord.Begin(_folder.Path, DateTimeOffset.UnixEpoch).Keep(name, FileDigest.Of("good"u8.ToArray()));
        }

        _folder.Write("a.txt", "mine");

        Assert.Equal("RepairChangedSince", Assert.Throws<ComfyAuthException>(() => RepairUndo.Plan(Stack, "19700101-000000")).Code);
        var untouched = RepairUndo.Plan(Stack, "19700101-000001");
        Assert.Empty(untouched.Changes);
        await untouched.ApplyAsync(stop: TestContext.Current.CancellationToken);
        Assert.Equal(("mine", "bad"), (_folder.Read("a.txt"), _folder.Read("b.txt")));
        Assert.Equal(["19700101-000000"], RepairUndo.Ids(Stack));
    }

    [Fact]
    public async Task The_copies_are_their_owners_alone_and_only_the_last_ten_repairs_are_kept()
    {
        foreach (var index in Enumerable.Range(0, 12))
        {
            _folder.Write("a.txt", $"bad {index}");
            await RepairAsync(Replacing("a.txt"));
        }

        Assert.Equal(10, RepairUndo.Ids(Stack).Count);
        Assert.All(Directory.EnumerateFiles(StateFolder, "*", SearchOption.AllDirectories), file => Assert.True(FilePermissions.IsOwnerOnly(file)));
    }

    [Theory]
    [InlineData("""{"version":1,"files":[{"path":"../outside.txt","copy":null,"after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[{"path":"/proc/kcore","copy":null,"after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[{"path":"a\u0000b","copy":null,"after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[{"path":"a.txt","copy":null,"after":[]},{"path":"a.txt","copy":"0","after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[{"path":"a.txt","copy":"","after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":null}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[null]}""", "RepairUnreadable")]
    [InlineData("""{"version":1,"files":[{"path":"a.txt","copy":"../../../a.txt","after":[]}]}""", "RepairUnreadable")]
    [InlineData("""{"version":2,"files":[]}""", "RepairUnreadable")]
    [InlineData("{", "RepairUnreadable")]
    [InlineData("null", "RepairUnreadable")]
    public async Task A_record_that_nobody_here_wrote_leads_nowhere_else(string record, string code)
    {
        _folder.Write(".comfyauth/repairs/20260101-000000/repair.json", record);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RepairUndo.Plan(Stack).ApplyAsync(stop: TestContext.Current.CancellationToken));

        Assert.Equal(code, error.Code);
        Assert.Equal([_folder.Path], Directory.EnumerateFileSystemEntries(_around.Path));
    }

    [Fact]
    public async Task A_copy_that_is_a_link_is_not_put_into_the_stack()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        using var elsewhere = new TemporaryFolder();
        _folder.Write("a.txt", "good");
        _folder.Write(".comfyauth/repairs/20260101-000000/repair.json", """{"version":1,"files":[{"path":"a.txt","copy":"0","after":["770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c"]}]}""");
        File.CreateSymbolicLink(_folder.PathOf(".comfyauth/repairs/20260101-000000/0"), elsewhere.Write("key", "of somebody else"));

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RepairUndo.Plan(Stack).ApplyAsync(stop: TestContext.Current.CancellationToken));

        Assert.Equal(("RepairUnreadable", "good"), (error.Code, _folder.Read("a.txt")));
    }

    [Theory]
    [InlineData("repair.json")]
    [InlineData("pipe")]
    public async Task A_pipe_in_a_record_or_in_a_files_place_is_not_waited_for(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        const string folder = ".comfyauth/repairs/20260101-000000";
        _folder.Write($"{folder}/repair.json", """{"version":1,"files":[{"path":"pipe","copy":null,"after":[]}]}""");
        var pipe = _folder.PathOf(name == "pipe" ? name : $"{folder}/{name}");
        File.Delete(pipe);
        using (var maker = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            await maker.WaitForExitAsync(TestContext.Current.CancellationToken);

        var plan = Task.Run(() => RepairUndo.Plan(Stack), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        Assert.Equal(name == "pipe" ? "TargetIsNotFile" : "RepairUnreadable", (await Assert.ThrowsAsync<ComfyAuthException>(() => plan)).Code);
    }

    [Fact]
    public async Task A_linked_file_is_mended_and_put_back_and_stays_a_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        File.CreateSymbolicLink(_folder.PathOf("a.txt"), _folder.Write("real.txt", "bad"));

        var repair = await RepairAsync(Replacing("a.txt"));

        Assert.Equal(("good", "file.a"), (_folder.Read("real.txt"), Assert.Single(repair.Mended).Id));
        await RepairUndo.Plan(Stack).ApplyAsync(stop: TestContext.Current.CancellationToken);
        Assert.Equal("bad", _folder.Read("real.txt"));
        Assert.NotNull(new FileInfo(_folder.PathOf("a.txt")).LinkTarget);
    }

    [Fact]
    public async Task A_repair_writes_nothing_behind_a_link_in_place_of_its_folder()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Not everybody may make links there.");
            return;
        }

        using var elsewhere = new TemporaryFolder();
        File.SetUnixFileMode(elsewhere.Path, (UnixFileMode)0b111_101_101);
        _folder.Write("a.txt", "bad");
        Directory.CreateDirectory(_folder.PathOf(".comfyauth"));
        Directory.CreateSymbolicLink(StateFolder, elsewhere.Path);

        var repair = await RepairAsync(Replacing("a.txt"));

        Assert.Equal("StateFolderIsNotFolder", Assert.IsType<ComfyAuthException>(Assert.Single(repair.Errors).Error).Code);
        Assert.Equal("bad", _folder.Read("a.txt"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere.Path));
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(elsewhere.Path));
    }

    [Fact]
    public void Two_repairs_that_begin_in_the_same_second_keep_a_record_each()
    {
        FileRecord[] records = [FileRecord.Begin(_folder.Path, DateTimeOffset.UnixEpoch), FileRecord.Begin(_folder.Path, DateTimeOffset.UnixEpoch)];

        foreach (var (record, name) in records.Zip(["a.txt", "b.txt"]))
        {
            record.Keep(name, FileDigest.Of("made"u8.ToArray()));
            _folder.Write(name, "made");
            record.Close();
        }

        Assert.Equal(["b.txt", "a.txt"], RepairUndo.Ids(Stack).SelectMany(id => FileRecord.Find(Stack.Root, id).Files).Select(file => file.Path));
    }

    /// <summary>A check that a file says "good", and that can make it say so.</summary>
    private Check Replacing(string file, string? id = null, string? write = null) =>
        new(
            id ?? $"file.{Path.GetFileNameWithoutExtension(file)}",
            "File is good",
            "The file must be good.",
            "Make it good.",
            (_, _) => Task.FromResult(Content(file) == "good" ? CheckOutcome.Passed("It is.") : CheckOutcome.Failed("It is not.") with { CanFix = true }))
        {
            PlanFix = (context, _, _) => Task.FromResult(Content(file) == "good" ? CheckFix.Nothing : CheckFix.OfFiles(
                context.Stack.Root,
                [PlannedFileChange.Write(context.Stack.Root, write ?? file, "Make it good", write is null ? Bytes(file) : null, "good"u8.ToArray(), FileProtection.Keep)],
                context.Keep)),
        };

    private byte[]? Bytes(string file) => Path.Combine(_folder.Path, file) is var path && File.Exists(path) ? File.ReadAllBytes(path) : null;

    private string Content(string file) => Encoding.UTF8.GetString(Bytes(file) ?? []);

    private Task<StackRepair> RepairAsync(Check check) => RepairAsync([check], _ => true);

    private async Task<StackRepair> RepairAsync(Check[] checks, Func<PlannedChange, bool> approve)
    {
        var results = new List<CheckResult>();
        foreach (var check in checks)
            results.AddRange(await RunAsync(check));
        var repairer = new StackRepairer(new(), new(), NoEngine);
        return await repairer.RepairAsync(
            Stack,
            new(),
            checks,
            results,
            change =>
            {
                _asked.Add(change.Target);
                return Task.FromResult(approve(change));
            },
            TestContext.Current.CancellationToken);
    }

    private async Task<List<CheckResult>> RunAsync(Check check)
    {
        var results = new List<CheckResult>();
        await foreach (var result in new StackValidator(new(), new(), NoEngine).RunAsync(Stack, new(), [check], TestContext.Current.CancellationToken))
            results.Add(result);
        return results;
    }

    private static ComfyAuth.Docker.DockerClient NoEngine() => throw new ComfyAuthException("DockerNotRunning", "There is none.", "");
}
