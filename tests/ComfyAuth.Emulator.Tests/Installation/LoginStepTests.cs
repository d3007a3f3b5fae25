using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>ComfyUI-Login and other custom nodes are put into a container that has them not, and left alone where they are.</summary>
public sealed class LoginStepTests
{
    private const string Nodes = "/workspace/ComfyUI/custom_nodes";
    private const string Login = Nodes + "/ComfyUI-Login";
    private const string Extra = "https://github.com/someone/Extra-Node.git@0123456789abcdef0123456789abcdef01234567";

    [Fact]
    public async Task A_node_that_is_there_at_the_pinned_commit_is_left_alone()
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        var before = site.EngineSnapshot();

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal((InstallOutcome.Unchanged, StepStatus.Unchanged), (report.Outcome, report.Steps[0].Status));
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains(DeploymentTemplates.LoginCommit, StringComparison.Ordinal));
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains("The login page is the one of ComfyUI-Login", StringComparison.Ordinal));
        Assert.Empty(programs.Ran);
        Assert.Equal(before, site.EngineSnapshot());
    }

    [Theory]
    [InlineData("ref: refs/heads/main\n", "1111111111111111111111111111111111111111", "at commit 1111111111111111111111111111111111111111, not 69109257")]
    [InlineData("2222222222222222222222222222222222222222\n", null, "at commit 2222222222222222222222222222222222222222, not 69109257")]
    [InlineData("ref: refs/../../../etc/passwd\n", null, "cannot be told")]
    [InlineData("rubbish\n", null, "cannot be told")]
    public async Task Another_commit_may_be_wanted_so_it_is_told_and_left(string head, string? branch, string told)
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files =>
        {
            files[Login + "/.git/HEAD"] = new(head);
            if (branch is not null)
                files[Login + "/.git/refs/heads/main"] = new(branch + "\n");
        });

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal(InstallOutcome.Unchanged, report.Outcome);
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_image_may_tell_the_commit_of_a_node_that_is_no_clone()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files =>
        {
            files.Remove(Login + "/.git/HEAD");
            files["/workspace/.installed/login"] = new(DeploymentTemplates.LoginCommit + "\n");
        });

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Contains(report.Steps[0].Evidence, line => line.Contains($"at commit {DeploymentTemplates.LoginCommit}, the one that is wanted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_registry_of_nodes_may_have_named_it_in_lower_case()
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        Change(site, files =>
        {
            RemoveBelow(files, Login);
            files[Nodes + "/comfyui-login/__init__.py"] = new("pass");
        });

        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync(null, new LoginStep())).Outcome);
        Assert.Empty(programs.Ran);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "0")]
    public async Task What_is_missing_is_cloned_whole_before_it_gets_its_name_and_the_second_run_changes_nothing(bool isWritable, string user)
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine) { IsWritable = isWritable };
        programs.Missing.Add("bcrypt");
        Change(site, files => RemoveBelow(files, Login));
        var options = site.Options with { CustomNodes = [Extra] };

        var report = await site.InstallAsync(options, new LoginStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join("; ", site.Results.Select(result => result.Message)));
        Assert.Equal(StepStatus.Done, report.Steps[0].Status);
        var clone = $"{Login}.comfyauth.disabled";
        Assert.Equal(
            [
                $"{user}: /workspace/venv/bin/python -c script {clone}",
                $"{user}: git clone --quiet -- https://github.com/liusida/ComfyUI-Login.git {clone}",
                $"{user}: git -C {clone} checkout --quiet --detach {DeploymentTemplates.LoginCommit}",
                $"{user}: /workspace/venv/bin/python -m pip install --disable-pip-version-check --no-input -r {clone}/requirements.txt",
                $"{user}: /workspace/venv/bin/python -c script {clone} {Login}{(isWritable ? "" : " shared")}",
            ],
            programs.Ran.Take(5));
        var files = site.Engine.Containers[0].Files;
        Assert.Equal(DeploymentTemplates.LoginCommit + "\n", System.Text.Encoding.UTF8.GetString(files[Login + "/.git/HEAD"].Content.Span));
        Assert.Contains(Nodes + "/Extra-Node/__init__.py", files.Keys);
        Assert.DoesNotContain(files.Keys, path => path.Contains(".disabled", StringComparison.Ordinal));

        var (ran, after) = (programs.Ran.Count, site.EngineSnapshot());
        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync(options, new LoginStep())).Outcome);
        Assert.Equal(ran, programs.Ran.Count);
        Assert.Equal(after, site.EngineSnapshot());
    }

    [Theory]
    [InlineData("git", "CustomNodeFailed", "fatal: unable to access")]
    [InlineData("no git", "GitNotFound", "has no git")]
    [InlineData("pip", "CustomNodeFailed", "No matching distribution")]
    [InlineData("no python", "PythonNotFound", "has no Python")]
    public async Task What_fails_leaves_nothing_behind(string fault, string code, string message)
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        Change(site, files => RemoveBelow(files, Login));
        switch (fault)
        {
            case "git":
                programs.GitError = "fatal: unable to access 'https://github.com/': Could not resolve host\n";
                break;
            case "no git":
                programs.HasGit = false;
                break;
            case "pip":
                programs.PipError = "ERROR: No matching distribution found for bcrypt\n";
                break;
            default:
                programs.HasPython = false;
                break;
        }

        var (files, engine) = (site.Engine.Containers[0].Files.Keys.Order().ToList(), site.EngineSnapshot());
        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal((InstallOutcome.RolledBack, code), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Contains(message, report.Steps[0].Message, StringComparison.Ordinal);
        Assert.NotEmpty(report.Steps[0].Remedy);
        Assert.Equal(files, site.Engine.Containers[0].Files.Keys.Order());
        Assert.Equal(engine, site.EngineSnapshot());
    }

    [Fact]
    public async Task A_clone_that_a_later_step_makes_moot_is_removed_again_and_the_container_started_anew()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files => RemoveBelow(files, Login));
        var files = site.Engine.Containers[0].Files.Keys.Order().ToList();
        var starts = 0;
        site.Engine.Starting += _ => starts++;

        var report = await site.RunAsync(site.NewInstaller((step, moment) => moment == InstallMoment.Ends ? throw new IOException("The disk is gone.") : Task.CompletedTask, new LoginStep()));

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(files, site.Engine.Containers[0].Files.Keys.Order());
        Assert.Equal(2, starts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_clone_in_a_mounted_folder_is_removed_on_this_machine_where_the_container_does_not_run(bool isLink)
    {
        Assert.SkipWhen(isLink && OperatingSystem.IsWindows(), "Not everybody may make links there.");
        await using var site = await SiteAsync();
        using var elsewhere = new TemporaryFolder();
        _ = new ContainerPrograms(site.Engine);
        var nodes = site.PathOf("nodes");
        Directory.CreateDirectory(nodes);
        Change(site, files => RemoveBelow(files, Login));
        site.Engine.Change(InstallSite.Service, container => container with { Mounts = [.. container.Mounts, new("bind", "", nodes, Nodes, ReadOnly: false)] });

        var report = await site.RunAsync(site.NewInstaller(
            async (_, moment) =>
            {
                if (moment != InstallMoment.Ends)
                    return;
                var file = elsewhere.Write("ComfyUI-Login/__init__.py", "pass\n");
                if (isLink)
                    Directory.CreateSymbolicLink(Path.Combine(nodes, "ComfyUI-Login"), Path.GetDirectoryName(file)!);
                else
                    Directory.Move(Path.GetDirectoryName(file)!, Path.Combine(nodes, "ComfyUI-Login"));
                await site.Client.StopAsync(InstallSite.Service, stop: TestContext.Current.CancellationToken);
                throw new IOException("The disk is gone.");
            },
            new LoginStep()));

        Assert.Equal(isLink ? InstallOutcome.RollbackIncomplete : InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(isLink, Directory.EnumerateFileSystemEntries(nodes).Any());
        Assert.Equal(isLink, File.Exists(elsewhere.PathOf("ComfyUI-Login/__init__.py")));
    }

    [Fact]
    public async Task A_clone_in_a_container_that_does_not_run_is_told_to_stay_and_goes_with_the_next_run()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files => RemoveBelow(files, Login));

        var report = await site.RunAsync(site.NewInstaller(
            async (_, moment) =>
            {
                if (moment != InstallMoment.Ends)
                    return;
                await site.Client.StopAsync(InstallSite.Service, stop: TestContext.Current.CancellationToken);
                throw new IOException("The disk is gone.");
            },
            new LoginStep()));

        Assert.Equal(InstallOutcome.RollbackIncomplete, report.Outcome);
        Assert.Contains(report.Kept, line => line.Contains($"{Login} stays in the container 'comfyui-qwen'", StringComparison.Ordinal));
        await site.RunAsync(site.NewInstaller((_, moment) => moment == InstallMoment.Begins ? throw new IOException("The disk is gone.") : Task.CompletedTask, new LoginStep()));
        Assert.DoesNotContain(site.Engine.Containers[0].Files.Keys, path => path.StartsWith(Login, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_clone_in_a_container_that_does_not_run_goes_with_the_container()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files => RemoveBelow(files, Login));
        await site.InstallAsync(null, new LoginStep());
        await site.Client.StopAsync(InstallSite.Service, stop: TestContext.Current.CancellationToken);

        await foreach (var change in new Uninstaller(site.Client, site.Redactor, site.Verifier) { RemoveData = true }.RunAsync(site.Stack, null, null, TestContext.Current.CancellationToken))
            Assert.Equal((UndoOutcome.Undone, ""), (change.Outcome, change.Message));

        Assert.Empty(site.Engine.Containers);
    }

    [Fact]
    public async Task A_node_that_failed_to_load_is_given_one_restart()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        site.Engine.Write(InstallSite.Service, $"   0.1 seconds (IMPORT FAILED): {Login}");

        Assert.Equal(InstallOutcome.Installed, (await site.InstallAsync(null, new LoginStep())).Outcome);

        site.Engine.Starting += container => site.Engine.Write(container.Name, $"   0.1 seconds (IMPORT FAILED): {Login}");
        site.Engine.Write(InstallSite.Service, $"   0.1 seconds (IMPORT FAILED): {Login}");
        var report = await site.InstallAsync(null, new LoginStep());
        Assert.Equal((InstallOutcome.RolledBack, "CustomNodeNotLoaded"), (report.Outcome, report.Steps[0].ErrorCode));
    }

    [Fact]
    public async Task A_node_that_was_put_there_after_the_start_is_loaded_by_a_restart()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        Change(site, files =>
        {
            files[Nodes + "/Extra-Node/__init__.py"] = new("pass");
            files[Nodes + "/Extra-Node/.git/comfyauth-installed"] = new("\n");
            files[Nodes + "/Extra-Node/.git/HEAD"] = new("0123456789abcdef0123456789abcdef01234567\n") { ModifiedAt = DateTimeOffset.UtcNow };
        });
        var options = site.Options with { CustomNodes = [Extra] };

        var report = await site.InstallAsync(options, new LoginStep());

        Assert.Equal([$"{InstallSite.Service}: Restart, because ComfyUI has not loaded Extra-Node"], report.Steps[0].Changes);
        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync(options, new LoginStep())).Outcome);
    }

    [Fact]
    public async Task What_cannot_be_imported_is_installed()
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        programs.Missing.Add("aiohttp_session.cookie_storage");

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal(InstallOutcome.Installed, report.Outcome);
        Assert.Contains(report.Steps[0].Changes, line => line.Contains("aiohttp_session.cookie_storage", StringComparison.Ordinal));
        Assert.Equal([$": /workspace/venv/bin/python -m pip install --disable-pip-version-check --no-input -r {Login}/requirements.txt"], programs.Ran);
    }

    [Fact]
    public async Task What_does_not_answer_is_not_taken_for_loaded()
    {
        await using var site = await SiteAsync();
        _ = new ContainerPrograms(site.Engine);
        site.Server!.Faults = _ => new() { CutAfter = 0 };
        var before = site.EngineSnapshot();

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal("LoginNotAsked", report.Steps[0].ErrorCode);
        Assert.Equal(before, site.EngineSnapshot());
    }

    [Fact]
    public async Task A_folder_that_is_no_node_is_not_overwritten()
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        Change(site, files =>
        {
            RemoveBelow(files, Login);
            files[Login + "/notes.txt"] = new("mine");
        });

        var report = await site.InstallAsync(null, new LoginStep());

        Assert.Equal("CustomNodeBroken", report.Steps[0].ErrorCode);
        Assert.Empty(programs.Ran);
    }

    [Theory]
    [InlineData("comfyui-qwen:/workspace/ComfyUI/custom_nodes/Theirs", "not made by an installation")]
    [InlineData("comfyui-qwen:/workspace/ComfyUI/custom_nodes/../models", "no custom node")]
    [InlineData("comfyui-qwen:/etc", "no custom node")]
    [InlineData("other:/workspace/ComfyUI/custom_nodes/Theirs", "no custom node")]
    public async Task A_journal_cannot_have_other_folders_removed(string target, string message)
    {
        await using var site = await SiteAsync();
        var programs = new ContainerPrograms(site.Engine);
        Change(site, files => files[Nodes + "/Theirs/__init__.py"] = new("pass"));

        var report = await site.RunAsync(site.NewInstaller(
            (_, moment) => moment == InstallMoment.Ends ? throw new IOException("The disk is gone.") : Task.CompletedTask,
            new ForgingStep(InstallChangeKind.Node, target)));

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Contains(report.Kept, line => line.Contains(message, StringComparison.Ordinal));
        Assert.Empty(programs.Ran);
    }

    [Theory]
    [InlineData("https://github.com/a/b", "b", "https://github.com/a/b", null)]
    [InlineData("https://github.com/a/b.git@ABCDEF0", "b", "https://github.com/a/b.git", "abcdef0")]
    [InlineData("ssh://git@example.org:2222/a/b.git", "b", "ssh://git@example.org:2222/a/b.git", null)]
    [InlineData("git://example.org/b", "b", "git://example.org/b", null)]
    public void Addresses_of_repositories_are_read(string text, string name, string address, string? commit) =>
        Assert.Equal(new CustomNode(name, address, commit), CustomNode.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("github.com/a/b")]
    [InlineData("http://github.com/a/b")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ext::sh -c touch% /tmp/x")]
    [InlineData("--upload-pack=touch")]
    [InlineData("ssh://-oProxyCommand=touch/a")]
    [InlineData("ssh://-oProxyCommand@host/a")]
    [InlineData("https://user:secret@github.com/a/b")]
    [InlineData("https://token@github.com/a/b")]
    [InlineData("https://github.com/a/b?token=secret")]
    [InlineData("https://github.com/a/b@main")]
    [InlineData("https://github.com/a/b@--force")]
    [InlineData("https://github.com/a/..")]
    [InlineData("https://github.com/")]
    [InlineData("https://github.com/a/b.disabled")]
    [InlineData("https://github.com/a/b c")]
    [InlineData("https://github.com/a/b\n")]
    public void Anything_else_is_refused_without_being_shown(string text)
    {
        var error = Assert.Throws<ComfyAuthException>(() => CustomNode.Parse(text));
        Assert.Equal("CustomNodeInvalid", error.Code);
        Assert.DoesNotContain("secret@", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("=secret", error.Message, StringComparison.Ordinal);
    }

    private static async Task<InstallSite> SiteAsync()
    {
        var site = await InstallSite.StartAsync();
        var report = await site.InstallAsync(null, new ContainerStep());
        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join("; ", site.Results.Select(result => result.Message)));
        return site;
    }

    private static void Change(InstallSite site, Action<Dictionary<string, EmulatedFile>> change) => site.Engine.Change(InstallSite.Service, container =>
    {
        var files = container.Files.ToDictionary();
        change(files);
        return container with { Files = files };
    });

    private static void RemoveBelow(Dictionary<string, EmulatedFile> files, string folder)
    {
        foreach (var path in files.Keys.Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal)).ToList())
            files.Remove(path);
    }
}
