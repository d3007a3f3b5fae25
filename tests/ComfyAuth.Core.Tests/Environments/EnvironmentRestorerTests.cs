using ComfyAuth.DotEnv;
using ComfyAuth.Environments;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Environments;

public sealed class EnvironmentRestorerTests : IDisposable
{
    private const string Template = $"{SampleStack.Service}/.env.example";
    private static readonly DateTimeOffset Now = new(2025, 10, 30, 23, 59, 58, TimeSpan.Zero);

    private readonly SampleStack _stack = new();

    private string Hash => _stack.Credential.Text;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task The_users_lines_stay_and_what_is_missing_stands_in_its_section()
    {
        _stack.Write(Template, "# API\nCIVITAI_TOKEN=\nHF_TOKEN=\nQWEN_API_TOKEN=\n\n# --- Login ---\nCOMFYUI_LOGIN_ENABLED=true\nCOMFYUI_USERNAME=\nCOMFYUI_PASSWORD=\nCOMFYUI_BEARER_TOKEN=\n\n# GPU\nGPU_DEVICE_ID=0\n# Which one the container sees\nCUDA_VISIBLE_DEVICES=0\n");
        _stack.Write(SampleStack.ServiceEnv, $"""
            # mine
            CIVITAI_TOKEN=c  # the blue account
            HF_TOKEN="h h"
            export MY_OWN=${"{"}HOME{"}"}/x
            QWEN_API_TOKEN=q

            COMFYUI_USERNAME=alice
            COMFYUI_PASSWORD={_stack.Credential.Password}
            COMFYUI_BEARER_TOKEN='{Hash}'

            GPU_DEVICE_ID=1

            # the end
            """);
        var expected = _stack.Read(SampleStack.ServiceEnv)
            .Replace("COMFYUI_USERNAME=alice\n", "COMFYUI_USERNAME=alice\nCOMFYUI_LOGIN_ENABLED=true\n", StringComparison.Ordinal)
            .Replace("GPU_DEVICE_ID=1\n", "GPU_DEVICE_ID=1\n# Which one the container sees\nCUDA_VISIBLE_DEVICES=0\n", StringComparison.Ordinal);

        var result = await RestoreAsync();

        Assert.Equal(expected, _stack.Read(SampleStack.ServiceEnv));
        Assert.Equal((EnvironmentAction.Updated, true), (result.Action, result.IsValid));
        Assert.Equal(["COMFYUI_LOGIN_ENABLED", "CUDA_VISIBLE_DEVICES"], result.Added);
        Assert.Empty(result.Changed);
    }

    [Fact]
    public async Task The_credential_comes_from_the_source_and_stands_in_single_quotes()
    {
        var other = new SampleCredential();
        _stack.Replace(SampleStack.ServiceEnv, $"'{Hash}'", other.Text);
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, other.Password);

        var result = await RestoreAsync();

        var text = _stack.Read(SampleStack.ServiceEnv);
        Assert.Contains($"COMFYUI_BEARER_TOKEN='{Hash}'\n", text, StringComparison.Ordinal);
        Assert.Contains($"COMFYUI_PASSWORD={_stack.Credential.Password}\n", text, StringComparison.Ordinal);
        Assert.Contains("COMFYUI_USERNAME=alice\n", text, StringComparison.Ordinal);
        Assert.Equal(["COMFYUI_BEARER_TOKEN", "COMFYUI_PASSWORD"], result.Changed.Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("''")]
    [InlineData("changeme")]
    [InlineData("CHANGE_ME")]
    [InlineData("<your token>")]
    [InlineData("your_civitai_token_here")]
    [InlineData("hf_xxxxxxxxxxxxxxxx")]
    [InlineData("...")]
    public async Task A_placeholder_is_missing_and_stays_until_its_value_is_known(string placeholder)
    {
        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h", $"HF_TOKEN={placeholder}");

        var without = await RestoreAsync();
        Assert.Equal((false, "HF_TOKEN"), (without.IsValid, Assert.Single(without.Missing)));
        Assert.Contains($"HF_TOKEN={placeholder}\n", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);

        _stack.Write(".secrets/.env.huggingface", "# mine\nHF_TOKEN=hf_known\n");
        var with = await RestoreAsync();
        Assert.Equal((true, "HF_TOKEN"), (with.IsValid, Assert.Single(with.Changed)));
        Assert.Contains("HF_TOKEN=hf_known\n", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_the_users_own_is_not_replaced_and_a_placeholder_is_not_copied()
    {
        _stack.Write(".secrets/.env.huggingface", "HF_TOKEN=hf_other\n");
        await RestoreAsync();
        Assert.Contains("HF_TOKEN=h\n", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);

        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h\n", "HF_TOKEN=\n");
        _stack.Write(".secrets/.env.huggingface", "HF_TOKEN=your_token_here\n");
        await RestoreAsync();
        Assert.Contains("HF_TOKEN=\n", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SECRET_KEY=20251030\n", true)]
    [InlineData("SECRET_KEY=\n", true)]
    [InlineData("SECRET_KEY=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", true)]
    [InlineData("SECRET_KEY=0123456789012345678901234567890123456789\n", true)]
    [InlineData("SECRET_KEY=comfyui-20251030-key/comfyui-20251030-key/c\n", true)]
    [InlineData("SECRET_KEY=abcdefghijklmnoabcdefgonmlkjihgfedcba\n", true)]
    [InlineData("SECRET_KEY=9f86d081884c7d659a2feaa0c55ad015\n", false)]
    [InlineData("", true)]
    [InlineData("SECRET_KEY=0123456789abcdefghijklmnopqrstuv\n", false)]
    [InlineData("SECRET_KEY='0123456789abcdefghij$klmnopqrstuvwxyz'\n", false)]
    [InlineData("SECRET_KEY=${SIGNING_KEY}\n", false)]
    [InlineData("SECRET_KEY\n", false)]
    public async Task A_weak_signing_key_is_replaced_and_a_strong_one_kept(string line, bool isReplaced)
    {
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1\n", $"GPU_DEVICE_ID=1\n{line}");

        var result = await RestoreAsync();

        Assert.Equal(isReplaced, result.Added.Concat(result.Changed).Contains("SECRET_KEY"));
        Assert.Equal(!isReplaced, line.Length > 0 && _stack.Read(SampleStack.ServiceEnv).Contains(line, StringComparison.Ordinal));
        Assert.True(result.IsValid);
        if (isReplaced)
            Assert.True(Document().Get("SECRET_KEY")!.Length >= 48);
    }

    [Fact]
    public async Task Two_new_signing_keys_differ()
    {
        await RestoreAsync();
        var first = Document().Get("SECRET_KEY")!;
        _stack.Replace(SampleStack.ServiceEnv, first, "weak");
        await RestoreAsync();

        Assert.NotEqual(first, Document().Get("SECRET_KEY"));
    }

    /// <summary>What the user leaves to the environment that Compose is started in is a value of the user's own.</summary>
    [Theory]
    [InlineData("MY_PROXY")]
    [InlineData("TZ")]
    [InlineData("TZ=${HOST_TZ}")]
    [InlineData("TZ=${HOST_TZ:?set it}")]
    [InlineData("HF_TOKEN_FILE=$UNKNOWN")]
    public async Task A_line_that_takes_its_value_from_elsewhere_stays(string line)
    {
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1\n", $"GPU_DEVICE_ID=1\n{line}\n");

        await RestoreAsync();

        Assert.Single(_stack.Read(SampleStack.ServiceEnv).Split('\n'), each => each.StartsWith(line.Split('=')[0], StringComparison.Ordinal) && each == line);
        Assert.Single(Document().Entries, entry => entry.Name == line.Split('=')[0]);
    }

    [Fact]
    public async Task A_line_that_compose_refuses_is_named_and_does_not_make_every_run_write()
    {
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1\n", "GPU_DEVICE_ID=1\nX=${canary\n");
        Assert.Contains((await RestoreAsync()).NextSteps, step => step.StartsWith("Mend line ", StringComparison.Ordinal));
        var after = _stack.Snapshot();

        Assert.Equal((EnvironmentAction.None, false), ((await RestoreAsync()) is var again ? again.Action : default, again.IsValid));
        Assert.Equal(after, _stack.Snapshot());
    }

    [Fact]
    public void A_value_that_no_form_carries_to_every_reader_fails_in_the_plan_and_names_the_file()
    {
        _stack.Write("comfyauth.yml", "services: { comfyui-qwen: { env: { consumers: [compose-v2, docker-run] } } }\n");
        var before = _stack.Snapshot();

        var error = Assert.Throws<ComfyAuthException>(() => Plan());

        Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
        Assert.StartsWith($"{_stack.PathOf(SampleStack.ServiceEnv)}#COMFYUI_BEARER_TOKEN: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash[7..15], error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_user_name_that_is_a_placeholder_gets_the_default()
    {
        _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_USERNAME=alice", "COMFYUI_USERNAME=<your name>");
        _stack.Delete(SampleStack.PasswordFile);

        Assert.True((await RestoreAsync()).IsValid);
        Assert.Equal("admin", Document().Get("COMFYUI_USERNAME"));
    }

    [Fact]
    public async Task A_file_that_is_missing_is_made_from_the_template_and_the_second_run_writes_nothing()
    {
        _stack.Delete(SampleStack.ServiceEnv);

        var created = await RestoreAsync();
        var after = _stack.Snapshot();
        var again = await RestoreAsync();

        Assert.Equal((EnvironmentAction.Created, null), (created.Action, created.Backup));
        Assert.Equal(["CIVITAI_TOKEN", "HF_TOKEN", "QWEN_API_TOKEN"], created.Missing);
        Assert.Contains(created.NextSteps, step => step.Contains("Fill in HF_TOKEN", StringComparison.Ordinal));
        Assert.Equal((EnvironmentAction.None, null), (again.Action, again.Backup));
        Assert.Equal(after, _stack.Snapshot());
        Assert.Equal(Hash, Document().Read("COMFYUI_BEARER_TOKEN", DotEnvConsumer.ComposeV2)?.Value);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_stack.PathOf(SampleStack.ServiceEnv)));
    }

    [Fact]
    public async Task A_second_run_writes_nothing_and_makes_no_backup()
    {
        await RestoreAsync();
        var after = _stack.Snapshot();

        var again = await RestoreAsync();

        Assert.Equal((EnvironmentAction.None, null, true), (again.Action, again.Backup, again.IsValid));
        Assert.Equal(after, _stack.Snapshot());
    }

    [Fact]
    public async Task The_built_in_template_is_not_used_where_the_stacks_own_cannot_be_read()
    {
        Directory.CreateDirectory(_stack.PathOf(Template));

        Assert.Equal("EnvironmentUnreadable", (await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync())).Code);
    }

    [Fact]
    public async Task A_service_with_neither_file_nor_template_is_said_so()
    {
        _stack.Write("comfyauth.yml", "defaults: false\nservices:\n  one: { url: 'http://localhost:1', env: { file: one/.env } }\n");

        Assert.Equal("TemplateMissing", (await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync())).Code);
    }

    [Fact]
    public async Task Services_that_share_a_file_are_restored_one_after_the_other()
    {
        _stack.Write("comfyauth.yml", "defaults: false\nservices:\n  one: { url: 'http://localhost:1', env: { file: shared/.env, template: one.example } }\n  two: { url: 'http://localhost:2', env: { file: shared/.env, template: two.example } }\n");
        _stack.Write("one.example", "ONE=1\n");
        _stack.Write("two.example", "TWO=2\n");
        _stack.Write("shared/.env", "MINE=0\n");

        foreach (var plan in new EnvironmentRestorer(_stack.Verifier, new(), new FixedClock(Now)).Plan(_stack.Stack, new(), TestContext.Current.CancellationToken))
            await plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(["MINE=0", "ONE=1", "TWO=2"], _stack.Read("shared/.env").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal(2, new EnvironmentBackups(_stack.PathOf("shared/.env")).List().Count);
    }

    [Fact]
    public async Task A_service_without_login_gets_its_template_and_no_credential()
    {
        _stack.Write("comfyauth.yml", "defaults: false\nservices:\n  one: { url: 'http://localhost:1', env: { file: one/.env, template: one/.env.example, required: [PORT] } }\n");
        _stack.Write("one/.env.example", "PORT=1\n");
        _stack.Delete(SampleStack.Source);

        var result = await RestoreAsync();

        Assert.Equal((EnvironmentAction.Created, "PORT=1\n"), (result.Action, _stack.Read("one/.env")));
    }

    [Fact]
    public async Task Without_a_source_of_truth_nothing_is_restored()
    {
        _stack.Delete(SampleStack.Source);
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync());

        Assert.Equal("TokenSourceMissing", error.Code);
        Assert.Contains("Sync-ComfyToken", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_password_that_nobody_knows_stays_and_is_said_so()
    {
        _stack.Replace(SampleStack.Source, _stack.Credential.Password, "wrong");
        _stack.Replace(SampleStack.RootEnv, _stack.Credential.Password, "wrong");
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "mine");

        var result = await RestoreAsync();

        Assert.Equal("mine", Document().Get("COMFYUI_PASSWORD"));
        Assert.Contains(result.Notes, note => note.Contains("Nobody knows the password", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Variables_without_effect_are_not_added_and_are_said_so()
    {
        Assert.Empty((await RestoreAsync()).Notes);
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1\n", "GPU_DEVICE_ID=1\nMAX_LOGIN_ATTEMPTS=3\nSESSION_EXPIRE_HOURS=24\n");

        var result = await RestoreAsync();

        Assert.Equal(["MAX_LOGIN_ATTEMPTS has no effect on ComfyUI-Login.", "SESSION_EXPIRE_HOURS has no effect on ComfyUI-Login."], result.Notes);
    }

    [Fact]
    public async Task Another_source_of_truth_can_be_given()
    {
        var other = new SampleCredential();
        _stack.Write("other.json", $$"""{"bcrypt_hash": "{{other.Text}}", "raw_token": "{{other.Password}}"}""");

        await RestoreAsync(new() { SourceFile = _stack.PathOf("other.json") });

        Assert.Equal((other.Text, other.Password), (Document().Get("COMFYUI_BEARER_TOKEN"), Document().Get("COMFYUI_PASSWORD")));
    }

    [Theory]
    [InlineData("""{"bcrypt_hash": "{other}", "raw_token": "wrong"}""", "TokenSourceInvalid")]
    [InlineData("\uFEFF {\"raw_token\": \"p\"}", "TokenSourceInvalid")]
    [InlineData("{", "TokenSourceInvalid")]
    [InlineData("NAME='never ends", "DotEnvSyntax")]
    public async Task A_source_file_that_cannot_be_right_changes_nothing(string text, string code)
    {
        _stack.Write("given", text.Replace("{other}", new SampleCredential().Text, StringComparison.Ordinal));
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => RestoreAsync(new() { SourceFile = _stack.PathOf("given") }));

        Assert.Equal(code, error.Code);
        Assert.Contains(_stack.PathOf("given"), error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData(".")]
    public async Task A_source_file_that_cannot_be_read_is_said_so(string path) =>
        Assert.Equal("SourceFileUnreadable", (await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync(new() { SourceFile = _stack.PathOf(path) }))).Code);

    [Fact]
    public async Task A_given_env_file_fills_in_what_is_missing_and_only_that()
    {
        _stack.Replace(SampleStack.ServiceEnv, "CIVITAI_TOKEN=c\nHF_TOKEN=h", "CIVITAI_TOKEN=your_token\nHF_TOKEN=h");
        _stack.Write("old.env", "CIVITAI_TOKEN='c$1'\nHF_TOKEN=other\nQWEN_API_TOKEN=your_key\nCOMFYUI_PASSWORD=other\nAPI_TIMEOUT=99\nUNKNOWN=1\n");

        var result = await RestoreAsync(new() { SourceFile = _stack.PathOf("old.env") });

        Assert.Equal(("c$1", "h", "q", "99", null), (Document().Get("CIVITAI_TOKEN"), Document().Get("HF_TOKEN"), Document().Get("QWEN_API_TOKEN"), Document().Get("API_TIMEOUT"), Document().Get("UNKNOWN")));
        Assert.Equal(_stack.Credential.Password, Document().Get("COMFYUI_PASSWORD"));
        Assert.Equal(["CIVITAI_TOKEN"], result.Changed);
    }

    [Fact]
    public async Task An_edit_made_after_the_plan_is_not_lost()
    {
        var plan = Plan();
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1", "GPU_DEVICE_ID=2");
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Equal(before.Where(file => !file.Key.Contains(".comfyauth", StringComparison.Ordinal)), _stack.Snapshot().Where(file => !file.Key.Contains(".comfyauth", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Declined_changes_are_not_made_and_the_others_are()
    {
        var result = await RestoreAsync(approve: change => change.Variable is null or "SECRET_KEY");

        Assert.Equal(["SECRET_KEY"], result.Added);
        Assert.NotNull(result.Backup);
        Assert.Null(Document().Get("TZ"));
    }

    [Fact]
    public async Task With_every_change_declined_no_byte_changes()
    {
        var before = _stack.Snapshot();

        var none = await RestoreAsync(approve: _ => false);
        var backupOnly = await RestoreAsync(approve: change => change.Variable is null);

        Assert.Equal((EnvironmentAction.Declined, null), (none.Action, none.Backup));
        Assert.Equal((EnvironmentAction.Declined, null), (backupOnly.Action, backupOnly.Backup));
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_declined_backup_is_not_made_and_the_changes_are()
    {
        var result = await RestoreAsync(approve: change => change.Variable is not null);

        Assert.Equal((EnvironmentAction.Updated, null), (result.Action, result.Backup));
        Assert.False(Directory.Exists(_stack.PathOf($"{SampleStack.Service}/_backups")));
    }

    [Fact]
    public void Nothing_is_planned_on_files_that_are_half_old_and_half_new()
    {
        _stack.Write(".comfyauth/journal.json", "{}");

        Assert.Equal("RecoveryPending", Assert.Throws<ComfyAuthException>(() => Plan()).Code);
        Assert.Equal("RecoveryPending", Assert.Throws<ComfyAuthException>(() => Plan(new() { FromBackup = "latest" })).Code);
        Assert.Equal("RecoveryPending", Assert.Throws<ComfyAuthException>(() => EnvironmentValidator.Validate(_stack.Stack)).Code);
    }

    [Fact]
    public async Task A_result_that_would_be_worse_than_the_file_is_not_written()
    {
        // The credential in use has a password that every example shows, which no file counts as filled in.
        var weak = new SecretText("changeme");
        _stack.Write(SampleStack.Source, $$"""{"bcrypt_hash": "{{Bcrypt.Hash(weak, 4, TestContext.Current.CancellationToken).Reveal()}}", "raw_token": "changeme"}""");
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RestoreAsync());

        Assert.Equal("RestoreWouldInvalidate", error.Code);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Cancelling_changes_nothing()
    {
        var before = _stack.Snapshot();
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Plan().ApplyAsync(
            _ =>
            {
                stop.Cancel();
                return Task.FromResult(true);
            },
            stop.Token));

        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Nothing_that_is_said_holds_a_secret_and_all_that_is_made_or_copied_is_known()
    {
        var redactor = new SecretRedactor();
        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h", "HF_TOKEN=");
        _stack.Write(".secrets/.env.huggingface", "HF_TOKEN=hf_abcdefghijkl\n");
        var plan = Assert.Single(new EnvironmentRestorer(_stack.Verifier, redactor).Plan(_stack.Stack, new(), TestContext.Current.CancellationToken));
        var said = string.Join('\n', plan.Changes.Select(change => $"{change.Target} {change.Action} {change.Variable}"));

        var result = await plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);
        said += System.Text.Json.JsonSerializer.Serialize([result], ComfyAuth.Reports.ReportJsonContext.Default.IReadOnlyListEnvironmentRestoreResult);

        foreach (var name in new[] { "COMFYUI_BEARER_TOKEN", "COMFYUI_PASSWORD", "SECRET_KEY", "HF_TOKEN" })
        {
            var secret = Document().Get(name)!;
            Assert.DoesNotContain(secret, said, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, redactor.Redact($"it is {secret}"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_backup_is_named_by_the_clock_in_utc_and_holds_the_old_bytes()
    {
        var before = File.ReadAllBytes(_stack.PathOf(SampleStack.ServiceEnv));

        var result = await RestoreAsync();

        Assert.Equal(_stack.PathOf($"{SampleStack.Service}/_backups/.env.backup.20251030_235958"), result.Backup);
        Assert.Equal(before, File.ReadAllBytes(result.Backup!));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(result.Backup!));
    }

    [Fact]
    public async Task No_backup_is_made_where_none_is_wanted()
    {
        Assert.Null((await RestoreAsync(new() { Backup = false })).Backup);
        Assert.False(Directory.Exists(_stack.PathOf($"{SampleStack.Service}/_backups")));
    }

    private DotEnvDocument Document() => DotEnvDocument.Parse(File.ReadAllBytes(_stack.PathOf(SampleStack.ServiceEnv)));

    private EnvironmentRestorePlan Plan(EnvironmentRestoreRequest? request = null) =>
        Assert.Single(new EnvironmentRestorer(_stack.Verifier, new(), new FixedClock(Now)).Plan(_stack.Stack, request ?? new(), TestContext.Current.CancellationToken));

    private Task<EnvironmentRestoreResult> RestoreAsync(EnvironmentRestoreRequest? request = null, Predicate<PlannedEnvironmentChange>? approve = null) =>
        Plan(request).ApplyAsync(approve is null ? null : change => Task.FromResult(approve(change)), TestContext.Current.CancellationToken);
}
