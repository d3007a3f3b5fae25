using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Installation;

public sealed class InstallRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public InstallRunTests() => InstallScenario.LayOut(_folder.Path);

    public static TheoryData<InstallStepName, string> Moments { get; } = new(
        from step in new[] { InstallStepName.Container, InstallStepName.Login, InstallStepName.Authentication }
        from moment in Enum.GetNames<InstallMoment>()
        select (step, moment));

    private string Journal => _folder.PathOf(".comfyauth/install.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_second_run_changes_nothing()
    {
        var first = await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);
        var journal = await File.ReadAllTextAsync(Journal, TestContext.Current.CancellationToken);
        var second = await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((InstallOutcome.Installed, InstallOutcome.Unchanged), (first.Outcome, second.Outcome));
        Assert.All(second.Steps.SkipLast(1), step => Assert.Equal((StepStatus.Unchanged, false), (step.Status, step.IsUndone)));
        Assert.Equal(InstallScenario.After, InstallScenario.Snapshot(_folder.Path));
        Assert.Equal(journal.Replace("\"run\": 1,\n  \"changes\"", "", StringComparison.Ordinal), (await File.ReadAllTextAsync(Journal, TestContext.Current.CancellationToken)).Replace("\"run\": 2,\n  \"changes\"", "", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task A_failure_at_any_moment_leaves_the_folder_as_it_was(InstallStepName step, string at)
    {
        var moment = Enum.Parse<InstallMoment>(at);
        var report = await new InstallScenario(_folder.Path) { Fails = (where, when) => (where, when) == (step, moment) }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(InstallScenario.Before, InstallScenario.Snapshot(_folder.Path));
        Assert.False(File.Exists(Journal));
        var failed = Assert.Single(report.Steps, result => result.Status == StepStatus.Failed);
        Assert.Equal((step, "FileMissing", "Mend it."), (failed.Step, failed.ErrorCode, failed.Remedy));
        Assert.All(report.Steps.Where(result => result.Step > step && result.Step != InstallStepName.Report), result => Assert.Equal(StepStatus.NotRun, result.Status));
        Assert.All(report.Steps.Where(result => result.Changes.Count > 0), result => Assert.True(result.IsUndone || (result.Step == step && moment < InstallMoment.Changed)));
    }

    [Fact]
    public async Task A_later_run_that_fails_takes_back_only_what_it_did_itself()
    {
        await new InstallScenario(_folder.Path) { Options = new() { Skip = InstallParts.Auth } }.RunAsync(TestContext.Current.CancellationToken);
        var between = InstallScenario.Snapshot(_folder.Path);

        var report = await new InstallScenario(_folder.Path) { Fails = (step, moment) => (step, moment) == (InstallScenario.LastStep, InstallMoment.Changed) }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(between, InstallScenario.Snapshot(_folder.Path));
        Assert.Contains("service/data", await File.ReadAllTextAsync(Journal, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_somebody_changed_meanwhile_is_kept_and_named()
    {
        var report = await new InstallScenario(_folder.Path)
        {
            Fails = (step, moment) =>
            {
                if ((step, moment) != (InstallScenario.LastStep, InstallMoment.Changes))
                    return false;
                File.WriteAllText(_folder.PathOf("service/compose.yml"), "by hand\n");
                return true;
            },
        }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal("by hand\n", _folder.Read("service/compose.yml"));
        Assert.Equal("A=1\n", _folder.Read("own/user.env"));
        Assert.Contains(report.Kept, line => line.Contains("service/compose.yml", StringComparison.Ordinal));
        Assert.Contains(report.Kept, line => line.Contains("not empty", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_somebody_writes_between_the_copy_of_a_file_and_a_change_of_it_that_fails_is_kept_and_named()
    {
        var isWritten = false;
        var report = await new InstallScenario(_folder.Path)
        {
            AtPoint = () =>
            {
                if (isWritten || !Directory.Exists(_folder.PathOf(".comfyauth/installs")) || _folder.Read("own/user.env") != "A=1\n")
                    return;
                isWritten = Directory.EnumerateFiles(_folder.PathOf(".comfyauth/installs"), "repair.json", SearchOption.AllDirectories).Any(record => File.ReadAllText(record).Contains("own/user.env", StringComparison.Ordinal));
                if (isWritten)
                    _folder.Write("own/user.env", "A=newer\n");
            },
            Files = [("own/user.env", "A=1\nB=2\n")],
        }.RunAsync(TestContext.Current.CancellationToken);

        Assert.True(isWritten);
        Assert.Equal((InstallOutcome.RolledBack, "FileChangedMeanwhile"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Equal("A=newer\n", _folder.Read("own/user.env"));
        Assert.Contains(report.Kept, line => line.Contains("own/user.env", StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_request_a_failure_leaves_what_was_done_and_the_next_run_goes_on()
    {
        var failed = await new InstallScenario(_folder.Path) { Options = new() { NoRollback = true }, Fails = (step, _) => step == InstallScenario.LastStep }.RunAsync(TestContext.Current.CancellationToken);
        var next = await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((InstallOutcome.Failed, InstallOutcome.Installed), (failed.Outcome, next.Outcome));
        Assert.True(next.IsResumed);
        Assert.Equal([StepStatus.Done, StepStatus.Done, StepStatus.Done, StepStatus.Done], next.Steps.Select(step => step.Status));
        Assert.Equal(InstallScenario.After, InstallScenario.Snapshot(_folder.Path));
    }

    [Fact]
    public async Task What_the_service_was_used_for_between_two_runs_is_not_taken_back()
    {
        await new InstallScenario(_folder.Path) { Options = new() { NoRollback = true }, Fails = (step, _) => step == InstallScenario.LastStep }.RunAsync(TestContext.Current.CancellationToken);
        _folder.Write("service/data/picture.png", "mine");

        var next = await new InstallScenario(_folder.Path) { Fails = (step, _) => step == InstallScenario.LastStep }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InstallOutcome.RolledBack, next.Outcome);
        Assert.Equal("mine", _folder.Read("service/data/picture.png"));
        Assert.Contains(next.Kept, line => line.Contains("service/data", StringComparison.Ordinal) && line.Contains("not empty", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_journal_cannot_have_a_folder_taken_away_with_what_is_in_it()
    {
        _folder.Write(".comfyauth/install.json", """{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "DataFolder", "target": "own" } ] }""");

        _folder.Write("own/mine.txt", "mine");

        await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal("mine", _folder.Read("own/mine.txt"));
    }

    [Theory]
    [InlineData("own/link", true)]
    [InlineData("own/.git/config", false)]
    public async Task A_record_cannot_have_a_file_written_that_is_not_the_stacks(string path, bool isLink)
    {
        using var outside = new TemporaryFolder();
        var target = isLink ? outside.Write("mine", "mine") : _folder.Write(path, "mine");
        if (isLink)
            File.CreateSymbolicLink(_folder.PathOf(path), target);
        _folder.Write(".comfyauth/installs/20260101-000000/0", "hostile");
        _folder.Write(".comfyauth/installs/20260101-000000/repair.json", $$"""{ "version": 1, "files": [ { "path": "{{path}}", "copy": "0", "after": ["3fd30542fe3f61b14bd4a4b2dc0b6fb30fa6f63ebce52dd1778aaa8c4dc02cff"] } ] }""");
        _folder.Write(".comfyauth/install.json", """{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "Files", "target": "20260101-000000" } ] }""");

        await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal("mine", await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_is_changed_after_a_killed_run_was_gone_on_with_survives_the_removal()
    {
        await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        // What a kill leaves that came before the run was ended.
        await File.WriteAllTextAsync(Journal, (await File.ReadAllTextAsync(Journal, TestContext.Current.CancellationToken)).Replace("Ended", "Running", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.True((await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken)).IsResumed);
        _folder.Write("service/compose.yml", "by hand\n");
        _folder.Write("own/user.env", "A=2\n");

        using var engine = new DockerClient(DockerEndpoint.Parse("unix:///nowhere.sock", "the test"));
        var undone = new List<UndoneChange>();
        await foreach (var change in new Uninstaller(engine, new SecretRedactor(), new PasswordVerifier()).RunAsync(Uninstaller.StackAt(_folder.Path), null, null, TestContext.Current.CancellationToken))
            undone.Add(change);

        Assert.Equal("by hand\n", _folder.Read("service/compose.yml"));
        Assert.Equal("A=2\n", _folder.Read("own/user.env"));
        Assert.False(File.Exists(_folder.PathOf("service/token")));
        Assert.Contains(undone, change => change.Outcome == UndoOutcome.Kept && change.Message.Contains("service/compose.yml", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_declined_change_ends_the_run_before_its_step_changes_anything()
    {
        var report = await new InstallScenario(_folder.Path) { Approve = change => Task.FromResult(change.Target != "own/user.env") }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InstallOutcome.Declined, report.Outcome);
        Assert.Equal([StepStatus.Declined, StepStatus.NotRun, StepStatus.NotRun, StepStatus.Done], report.Steps.Select(step => step.Status));
        Assert.Equal(InstallScenario.Before, InstallScenario.Snapshot(_folder.Path));
    }

    [Fact]
    public async Task A_part_that_is_left_out_is_skipped_and_not_looked_at()
    {
        var report = await new InstallScenario(_folder.Path) { Options = new() { Skip = InstallParts.Auth } }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((InstallOutcome.Installed, StepStatus.Skipped), (report.Outcome, report.Steps[2].Status));
        Assert.False(File.Exists(_folder.PathOf("service/token")));
    }

    [Fact]
    public async Task A_plan_names_each_change_and_makes_none()
    {
        var planned = new List<string>();
        var before = Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();

        var report = await new InstallScenario(_folder.Path).PlanAsync(
            change =>
            {
                planned.Add(change.Target);
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(["service/compose.yml", "own/user.env", "service/data/seen", "service/token", "own/user.env"], planned);
        Assert.Equal(InstallOutcome.Planned, report.Outcome);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_plan_tells_that_an_earlier_run_is_still_to_be_taken_back()
    {
        _folder.Write(".comfyauth/install.json", """{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "Folder", "target": "service" } ] }""");
        var planned = new List<string>();

        await new InstallScenario(_folder.Path).PlanAsync(
            change =>
            {
                planned.Add(change.Action);
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);

        Assert.StartsWith("Take back first", planned[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unexpected_error_is_reported_and_taken_back_as_well()
    {
        var report = await new InstallScenario(_folder.Path)
        {
            Fails = (step, moment) => (step, moment) == (InstallScenario.LastStep, InstallMoment.Changed) ? throw new InvalidOperationException("a fault of ours") : false,
        }.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((InstallOutcome.RolledBack, "Unexpected"), (report.Outcome, report.Steps[2].ErrorCode));
        Assert.Contains("a fault of ours", report.Steps[2].Message, StringComparison.Ordinal);
        Assert.Equal(InstallScenario.Before, InstallScenario.Snapshot(_folder.Path));
    }

    [Fact]
    public async Task A_cancelled_run_is_gone_on_with()
    {
        using var stop = new CancellationTokenSource();
        var cancelled = new InstallScenario(_folder.Path)
        {
            Fails = (step, moment) =>
            {
                if ((step, moment) == (InstallStepName.Login, InstallMoment.Changed))
                    stop.Cancel();
                return false;
            },
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.RunAsync(stop.Token));
        var next = await new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken);

        Assert.True(next.IsResumed);
        Assert.Equal([StepStatus.Done, StepStatus.Done, StepStatus.Done, StepStatus.Done], next.Steps.Select(step => step.Status));
    }

    [Fact]
    public async Task Two_installations_of_one_stack_do_not_run_at_once()
    {
        var inside = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        var first = new InstallScenario(_folder.Path)
        {
            Approve = async _ =>
            {
                inside.TrySetResult();
                await leave.Task;
                return true;
            },
        }.RunAsync(TestContext.Current.CancellationToken);
        // Where it cannot even begin, it ends.
        await await Task.WhenAny(inside.Task, first);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => new InstallScenario(_folder.Path) { LockTimeout = TimeSpan.Zero }.RunAsync(TestContext.Current.CancellationToken));
        leave.SetResult();

        Assert.Equal("LockTimeout", error.Code);
        Assert.Equal(InstallOutcome.Installed, (await first).Outcome);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{ "version": 2, "phase": "Running", "run": 1, "changes": [] }""")]
    [InlineData("""{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "DataFolder", "target": "../.." } ] }""")]
    [InlineData("""{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "DataFolder", "target": "." } ] }""")]
    [InlineData("""{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "Output", "target": "/etc/hostname" } ] }""")]
    [InlineData("""{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": "Files", "target": "../repairs" } ] }""")]
    [InlineData("""{ "version": 1, "phase": "Undoing", "run": 1, "changes": [ { "run": 1, "step": "Login", "kind": 99, "target": "x" } ] }""")]
    [InlineData("""{ "version": 1, "phase": "Ended", "run": 2147483647, "changes": [] }""")]
    [InlineData("""{ "version": 1, "phase": 99, "run": 1, "changes": [] }""")]
    public async Task A_journal_that_leads_astray_is_refused_and_nothing_is_touched(string journal)
    {
        _folder.Write(".comfyauth/install.json", journal);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => new InstallScenario(_folder.Path).RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal("InstallJournalUnreadable", error.Code);
        Assert.Equal(InstallScenario.Before, InstallScenario.Snapshot(_folder.Path));
        Assert.Equal(journal, await File.ReadAllTextAsync(Journal, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_at_any_point_the_next_run_ends_as_if_nothing_had_happened(bool fails)
    {
        var wanted = fails ? InstallScenario.Before : InstallScenario.After;
        var kills = 0;
        for (var isKilled = true; isKilled;)
        {
            using var folder = new TemporaryFolder();
            InstallScenario.LayOut(folder.Path);
            isKilled = !await InstallChild.RunAsync(folder.Path, kills + 1, fails, TestContext.Current.CancellationToken);
            if (isKilled)
                await InstallScenario.Of(folder.Path, fails).RunAsync(TestContext.Current.CancellationToken);

            // What the service wrote before the kill cannot be told from what its user made since.
            var seen = InstallScenario.Snapshot(folder.Path);
            if (fails && isKilled)
                seen.Remove("service/data/seen");
            Assert.True(wanted.SequenceEqual(seen) || wanted.OrderBy(file => file.Key, StringComparer.Ordinal).SequenceEqual(seen), $"killed at point {kills + 1}: {string.Join(", ", seen)}");
            kills += isKilled ? 1 : 0;
        }

        Assert.True(kills > 20, $"only {kills} kills");
    }
}
