using ComfyAuth.Environments;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Environments;

public sealed class EnvironmentBackupsTests : IDisposable
{
    private const string Folder = $"{SampleStack.Service}/_backups";
    private static readonly DateTimeOffset Now = new(2025, 10, 30, 23, 59, 58, TimeSpan.Zero);

    private readonly SampleStack _stack = new();

    private EnvironmentBackups Backups => new(_stack.PathOf(SampleStack.ServiceEnv));

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task Backups_of_one_second_get_names_of_the_seconds_that_follow()
    {
        var names = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_LOGIN_ENABLED=true\n", "");
            names.Add(Path.GetFileName((await RestoreAsync()).Backup!));
        }

        Assert.Equal([".env.backup.20251030_235958", ".env.backup.20251030_235959", ".env.backup.20251031_000000"], names);
        Assert.Equal(names.AsEnumerable().Reverse(), Backups.List().Select(Path.GetFileName));
    }

    [Fact]
    public async Task The_oldest_backups_go_when_there_are_too_many_and_nothing_else_does()
    {
        _stack.Write("comfyauth.yml", "keepBackups: 3\n");
        for (var i = 1; i <= 4; i++)
            _stack.Write($"{Folder}/.env.backup.2025010{i}_000000", $"N={i}\n");
        string[] others = ["readme.txt", ".env.backup.mine", ".env.local.backup.20240101_000000", ".env.backup.20240101_000000.gpg"];
        foreach (var other in others)
            _stack.Write($"{Folder}/{other}", "");

        await RestoreAsync();

        Assert.Equal([".env.backup.20251030_235958", ".env.backup.20250104_000000", ".env.backup.20250103_000000"], Backups.List().Select(Path.GetFileName));
        Assert.All(others, other => Assert.True(File.Exists(_stack.PathOf($"{Folder}/{other}"))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("20250103_000000")]
    public async Task The_backups_that_go_are_planned_and_one_that_is_declined_stays(string? fromBackup)
    {
        _stack.Write("comfyauth.yml", "keepBackups: 2\n");
        for (var i = 1; i <= 3; i++)
            _stack.Write($"{Folder}/.env.backup.2025010{i}_000000", ValidWith($"N={i}\n"));

        var plan = Plan(fromBackup);
        Assert.Equal(
            ["Delete the old backup .env.backup.20250102_000000", "Delete the old backup .env.backup.20250101_000000"],
            plan.Changes.TakeLast(2).Select(change => change.Action));
        Assert.Equal(_stack.PathOf($"{Folder}/.env.backup.20250101_000000"), plan.Changes[^1].Target);

        await plan.ApplyAsync(change => Task.FromResult(!change.Action.EndsWith("20250102_000000", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        Assert.Equal([".env.backup.20251030_235958", ".env.backup.20250103_000000", ".env.backup.20250102_000000"], Backups.List().Select(Path.GetFileName));

        var after = _stack.Snapshot();
        Assert.Empty(Plan(fromBackup).Changes);
        await RestoreAsync(fromBackup);
        Assert.Equal(after, _stack.Snapshot());
    }

    [Theory]
    [InlineData("Back up")]
    [InlineData("Add")]
    public async Task No_old_backup_goes_where_none_is_made(string declined)
    {
        _stack.Write("comfyauth.yml", "keepBackups: 1\n");
        _stack.Write($"{Folder}/.env.backup.20250101_000000", "N=1\n");

        await Plan(null).ApplyAsync(change => Task.FromResult(!change.Action.StartsWith(declined, StringComparison.Ordinal)), TestContext.Current.CancellationToken);

        Assert.Equal([".env.backup.20250101_000000"], Backups.List().Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_beside_it_has_backups_of_its_own()
    {
        _stack.Write($"{Folder}/.env.local.backup.20250101_000000", "");
        _stack.Write($"{Folder}/.env.backup.20250102_000000", "");

        Assert.Equal(".env.local.backup.20250101_000000", Path.GetFileName(new EnvironmentBackups(_stack.PathOf($"{SampleStack.Service}/.env.local")).Find("latest")));
        Assert.Equal(".env.backup.20250102_000000", Path.GetFileName(Backups.Find("latest")));
    }

    [Theory]
    [InlineData("latest", "2")]
    [InlineData("LATEST", "2")]
    [InlineData(".env.backup.20250101_000000", "1")]
    [InlineData("20250101_000000", "1")]
    public async Task A_backup_is_put_back_byte_for_byte(string name, string expected)
    {
        _stack.Write($"{Folder}/.env.backup.20250101_000000", ValidWith("# one \r\nN=1"));
        _stack.Write($"{Folder}/.env.backup.20250102_000000", ValidWith("# two \r\nN=2"));
        var before = _stack.Read(SampleStack.ServiceEnv);

        var result = await RestoreAsync(name);

        Assert.EndsWith($"\r\nN={expected}", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
        Assert.Equal((EnvironmentAction.RestoredFromBackup, before), (result.Action, await File.ReadAllTextAsync(result.Backup!, TestContext.Current.CancellationToken)));
        Assert.Contains(result.NextSteps, step => step.Contains("Sync-ComfyToken", StringComparison.Ordinal));
        Assert.Equal(EnvironmentAction.None, (await RestoreAsync($"2025010{expected}_000000")).Action);
    }

    [Theory]
    [InlineData("20250102_000000")]
    [InlineData("../.env.backup.20250101_000000")]
    [InlineData("../../../../.secrets/comfyui_auth_tokens.conf")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("*")]
    public async Task Only_what_is_listed_is_a_backup(string name)
    {
        _stack.Write($"{Folder}/.env.backup.20250101_000000", ValidWith(""));
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync(name));

        Assert.Equal("BackupNotFound", error.Code);
        Assert.Contains(".env.backup.20250101_000000", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Where_no_backup_was_made_there_is_no_latest()
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync("latest"));

        Assert.Equal(("BackupNotFound", "No backup has been made there yet."), (error.Code, error.Remedy));
    }

    [Fact]
    public async Task An_invalid_backup_does_not_replace_a_valid_file()
    {
        _stack.Write($"{Folder}/.env.backup.20250101_000000", ValidWith("").Replace("'", "", StringComparison.Ordinal));
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync("latest"));

        Assert.Equal("BackupInvalid", error.Code);
        Assert.Contains("COMFYUI_BEARER_TOKEN", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_stack.Credential.Text[..10], error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("X=${canary")]
    [InlineData("X=${A:?msg}")]
    public async Task A_backup_that_compose_refuses_does_not_replace_a_valid_file(string line)
    {
        _stack.Write($"{Folder}/.env.backup.20250101_000000", ValidWith(line));
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync("latest"));

        Assert.Equal("BackupInvalid", error.Code);
        Assert.Contains("line 8: Compose v2", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("COMFYUI_BEARER_TOKEN='never ends\n")]
    [InlineData("HF_TOKEN=\n")]
    [InlineData(null)]
    public async Task A_file_that_is_no_better_or_missing_is_replaced_by_a_backup(string? text)
    {
        _stack.Write($"{Folder}/.env.backup.20250101_000000", ValidWith(""));
        if (text is null)
            _stack.Delete(SampleStack.ServiceEnv);
        else
            _stack.Write(SampleStack.ServiceEnv, text);

        var result = await RestoreAsync("latest");

        Assert.Equal((EnvironmentAction.RestoredFromBackup, true), (result.Action, result.IsValid));
        Assert.Equal(ValidWith(""), _stack.Read(SampleStack.ServiceEnv));
        Assert.Equal(text, result.Backup is null ? null : await File.ReadAllTextAsync(result.Backup, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_backup_that_cannot_be_parsed_is_named_with_its_line()
    {
        var backup = $"{Folder}/.env.backup.20250101_000000";
        _stack.Write(backup, "A=1\nB='never ends\n");

        var error = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => RestoreAsync("latest"));

        Assert.StartsWith($"{_stack.PathOf(backup)}:2:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_made_by_somebody_else_in_the_meantime_is_not_overwritten()
    {
        var plan = Plan(null);
        _stack.Write($"{Folder}/.env.backup.20251030_235958", "theirs");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(("FileChangedMeanwhile", "theirs"), (error.Code, _stack.Read($"{Folder}/.env.backup.20251030_235958")));
    }

    private string ValidWith(string end) =>
        $"CIVITAI_TOKEN=c\nHF_TOKEN=h\nQWEN_API_TOKEN=q\nCOMFYUI_LOGIN_ENABLED=true\nCOMFYUI_USERNAME=alice\nCOMFYUI_PASSWORD=p\nCOMFYUI_BEARER_TOKEN='{_stack.Credential.Text}'\n{end}";

    private EnvironmentRestorePlan Plan(string? fromBackup) => Assert.Single(new EnvironmentRestorer(_stack.Verifier, new(), new FixedClock(Now))
        .Plan(_stack.Stack, new() { FromBackup = fromBackup }, TestContext.Current.CancellationToken));

    private Task<EnvironmentRestoreResult> RestoreAsync(string? fromBackup = null) => Plan(fromBackup).ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);
}
