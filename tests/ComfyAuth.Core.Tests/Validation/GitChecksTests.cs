using System.Diagnostics;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class GitChecksTests : IDisposable
{
    private readonly ContentFolder _folder = new("defaults: false\nsource: .secrets/login.json\nservices: { comfy: { url: 'http://localhost:1', env: { file: comfy/.env, template: comfy/.env.example } } }\n");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Ids => ["git.repository", "git.secrets.tracked", "git.secrets.ignored", "git.clean"];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Without_a_repository_there_is_nothing_to_check(string id)
    {
        Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);
        Assert.Null(await GitState.ReadAsync(_folder.Root, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_state_of_the_repository_is_told_without_credentials()
    {
        Initialize();
        Git("tag", "v1.2");
        Git("remote", "add", "origin", "https://alice:ghp_secret@example.com:8443/stack.git?key=1");
        _folder.Write("new.txt", "");

        var state = await GitState.ReadAsync(_folder.Root, TestContext.Current.CancellationToken);

        Assert.Equal(
            new GitState { Root = Git("rev-parse", "--show-toplevel"), Branch = "main", Commit = Git("rev-parse", "HEAD"), DirtyCount = 1, Tag = "v1.2", Remote = "https://example.com:8443/stack.git" },
            state);
        Assert.Equal(
            ["branch main", $"commit {state!.Commit}", "newest tag v1.2", "remote https://example.com:8443/stack.git"],
            (await RunAsync("git.repository")).Evidence);
    }

    [Fact]
    public async Task A_repository_without_a_commit_and_a_commit_without_a_branch_are_told_of()
    {
        Git("init", "-q", "-b", "main");
        Assert.Equal(["branch main", "no commit yet", "no tag leads to it", "no remote"], (await RunAsync("git.repository")).Evidence);

        Initialize();
        Git("checkout", "-q", "--detach");
        Assert.Equal("no branch: a commit is checked out by itself", (await RunAsync("git.repository")).Evidence[0]);
    }

    [Theory]
    [InlineData("git@example.com:stack.git", "git@example.com:stack.git")]
    [InlineData("/srv/stack.git", "/srv/stack.git")]
    [InlineData("ssh://git:pw@example.com/stack.git", "ssh://example.com/stack.git")]
    [InlineData("https://token@example.com", "https://example.com/")]
    [InlineData("https://[bad", null)]
    [InlineData("https://[::1]/stack.git", "https://[::1]/stack.git")]
    [InlineData("key-of-somebody@example.com:stack.git", "example.com:stack.git")]
    [InlineData("x:key-of-somebody@example.com:stack.git", "example.com:stack.git")]
    [InlineData("/srv/a@b/stack.git", "/srv/a@b/stack.git")]
    [InlineData("ext::ssh -o password=key-of-somebody host %S /stack", null)]
    [InlineData("ext::ssh://key-of-somebody@host", null)]
    public void An_address_is_told_without_user_and_password(string address, string? told) => Assert.Equal(told, GitReading.WithoutCredentials(address));

    [Fact]
    public async Task What_differs_from_the_commit_is_worth_a_warning()
    {
        Initialize();
        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.clean")).Status);

        _folder.Write(GenAIStack.FileName, _folder.Read(GenAIStack.FileName) + "# more\n");
        _folder.Write("a b.txt", "");
        _folder.Write("staged.txt", "");
        Git("add", "staged.txt");

        var result = await RunAsync("git.clean");
        Assert.Equal((CheckStatus.Warning, "3 files differ from the last commit."), (result.Status, result.Message));
        Assert.Equal(["a b.txt: not tracked", "comfyauth.yml: changed", "staged.txt: added"], result.Evidence.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_tracked_secret_fails_and_a_template_does_not()
    {
        Initialize();
        _folder.Write("comfy/.env.example", "A=\n");
        _folder.Write(".secrets/.gitignore", "*\n");
        Git("add", "-f", "comfy/.env.example", ".secrets/.gitignore");
        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.secrets.tracked")).Status);

        _folder.Write(".secrets/login.json", "{}");
        _folder.Write("comfy/.env", "A=1\n");
        _folder.Write("deep/er/.env.production", "A=1\n");
        Git("add", "-f", ".");

        var result = await RunAsync("git.secrets.tracked");
        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Equal([".secrets/login.json", "comfy/.env", "deep/er/.env.production"], result.Evidence.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_gitignore_does_not_cover_fails_and_is_added_and_the_rest_stays()
    {
        Initialize();
        _folder.Write(".gitignore", "# mine\r\n*.log\r\n/.secrets/");

        var result = await RunAsync("git.secrets.ignored");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        Assert.Equal(["comfy/.env", "comfy/_backups/.env.backup.20000101_000000"], result.Evidence);

        Assert.Single(await CheckRun.FixAsync(_folder.Stack, "git.secrets.ignored"));

        Assert.Equal("# mine\r\n*.log\r\n/.secrets/\r\n\r\n# Secrets of the stack\r\n/comfy/.env\r\n/comfy/_backups/\r\n", _folder.Read(".gitignore"));
        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.secrets.ignored")).Status);
        Assert.Empty(await CheckRun.FixAsync(_folder.Stack, "git.secrets.ignored"));
    }

    [Fact]
    public async Task A_missing_gitignore_is_made()
    {
        Initialize();
        Git("rm", "-q", "--cached", "--ignore-unmatch", ".gitignore");

        await CheckRun.FixAsync(_folder.Stack, "git.secrets.ignored");

        Assert.StartsWith("# Secrets of the stack\n/.secrets/login.json\n", _folder.Read(".gitignore"), StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.secrets.ignored")).Status);
    }

    [Fact]
    public async Task What_a_deeper_gitignore_takes_back_cannot_be_mended()
    {
        Initialize();
        _folder.Write(".gitignore", "/.secrets/login.json\n/comfy/.env\n/comfy/_backups/\n");
        _folder.Write("comfy/.gitignore", "!.env\n");

        var result = await RunAsync("git.secrets.ignored");
        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Equal(["comfy/.env"], result.Evidence);
    }

    [Fact]
    public async Task Names_with_letters_that_mean_something_are_covered_as_they_are()
    {
        _folder.Define("defaults: false\nsource: 'odd *[x]/lögin.json'\n");
        Initialize();

        await CheckRun.FixAsync(_folder.Stack, "git.secrets.ignored");

        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.secrets.ignored")).Status);
        Assert.Equal("", Git("check-ignore", "--no-index", "odd yx/lögin.json", "odd *x/lögin.json"));
    }

    [Fact]
    public async Task A_path_behind_a_link_is_none_of_git()
    {
        Initialize();
        _folder.Write(".gitignore", "/comfy/\n");
        Directory.CreateSymbolicLink(_folder.PathOf(".secrets"), Path.GetTempPath());

        Assert.Equal(CheckStatus.Passed, (await RunAsync("git.secrets.ignored")).Status);
    }

    [Fact]
    public async Task No_program_of_a_configuration_is_run()
    {
        Initialize();
        var marker = _folder.PathOf("ran");
        var program = _folder.Write("evil.sh", $"#!/bin/sh\ntouch '{marker}'\ncat\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _folder.Write(".gitattributes", "* filter=evil\n");
        _folder.Write(".git/hooks/post-index-change", File.ReadAllText(program));
        File.Copy(program, _folder.PathOf(".git/hooks/post-index-change"), overwrite: true);
        foreach (var name in new[] { "filter.evil.clean", "core.fsmonitor", "core.sshCommand", "core.pager", "diff.external" })
            Git("config", name, program);
        Git("config", "filter.evil.required", "true");
        // Another size or time makes git compare the content, for which it would run the filter.
        File.SetLastWriteTimeUtc(_folder.PathOf(GenAIStack.FileName), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        foreach (var id in Ids)
            Assert.NotEqual(CheckStatus.Error, (await RunAsync(id.Data)).Status);

        Assert.False(File.Exists(marker));
    }

    [Fact]
    public async Task A_folder_of_another_account_is_an_error_with_its_remedy()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root gives folders away.");
        Initialize();
        using (var chown = Process.Start("chown", ["-R", "12345", _folder.Root]))
            await chown.WaitForExitAsync(TestContext.Current.CancellationToken);

        var result = await RunAsync("git.repository");
        Assert.Equal(CheckStatus.Error, result.Status);
        Assert.Contains("safe.directory", result.Remedy, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await RunAsync("git.clean")).Status);
    }

    private void Initialize()
    {
        Git("init", "-q", "-b", "main");
        Git("add", GenAIStack.FileName);
        // Git may tidy up in the background, and a signature may ask somebody.
        Git("-c", "maintenance.auto=false", "-c", "gc.auto=0", "-c", "commit.gpgSign=false", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "First");
    }

    private string Git(params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = _folder.Root, RedirectStandardOutput = true };
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd().TrimEnd('\n');
        process.WaitForExit();
        return output;
    }

    private Task<CheckResult> RunAsync(string id) => CheckRun.OneAsync(_folder.Stack, id);
}
