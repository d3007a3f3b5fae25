using System.Text.Json.Nodes;
using ComfyAuth.Secrets;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Tokens;

public sealed class TokenSynchronizerTests : IDisposable
{
    private readonly SampleStack _stack = new();
    private readonly SampleCredential _other = new();

    private string Hash => _stack.Credential.Text;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task A_sound_stack_is_not_touched()
    {
        var before = _stack.Snapshot();

        var results = await _stack.SynchronizeAsync();

        Assert.All(results, result => Assert.Equal((TokenAction.None, TokenState.Match), (result.Action, result.State)));
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Only_what_differs_is_written_and_a_second_run_writes_nothing()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        var before = _stack.Snapshot();

        var changed = (await _stack.SynchronizeAsync()).Single(result => result.Action != TokenAction.None);
        var after = _stack.Snapshot();
        await _stack.SynchronizeAsync();

        Assert.Equal((SampleStack.RootToken, TokenAction.Updated, _other.Hash.Fingerprint, _stack.Credential.Hash.Fingerprint), (changed.Location, changed.Action, changed.OldFingerprint, changed.Fingerprint));
        Assert.Equal([_stack.PathOf(SampleStack.RootToken)], before.Keys.Where(path => before[path] != after[path]));
        Assert.Equal(after, _stack.Snapshot());
    }

    [Fact]
    public async Task A_hash_that_compose_cuts_is_quoted_and_the_rest_of_the_file_stays()
    {
        _stack.Replace(SampleStack.ServiceEnv, $"'{Hash}'", Hash);
        var expected = _stack.Read(SampleStack.ServiceEnv).Replace(Hash, $"'{Hash}'", StringComparison.Ordinal);

        await _stack.SynchronizeAsync();

        Assert.Equal(expected, _stack.Read(SampleStack.ServiceEnv));
    }

    [Fact]
    public async Task A_missing_variable_is_added_where_its_kin_is()
    {
        _stack.Replace(SampleStack.ServiceEnv, $"COMFYUI_BEARER_TOKEN='{Hash}'\n", "");

        var result = (await _stack.SynchronizeAsync()).Single(result => result.Action != TokenAction.None);

        Assert.Equal((TokenAction.Added, TokenState.Missing), (result.Action, result.Before));
        Assert.Contains($"COMFYUI_PASSWORD={_stack.Credential.Password}\nCOMFYUI_BEARER_TOKEN='{Hash}'\n\nGPU_DEVICE_ID=1\n", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_are_missing_are_made_for_their_owner_only()
    {
        foreach (var path in new[] { SampleStack.RootEnv, SampleStack.RootToken, SampleStack.ServiceEnv, SampleStack.ServiceToken })
            _stack.Delete(path);

        await _stack.SynchronizeAsync();

        Assert.All(_stack.Audit(), seen => Assert.Equal(TokenState.Match, seen.State));
        Assert.Equal(Hash, _stack.Read(SampleStack.RootToken));
        Assert.Contains("COMFYUI_USERNAME=alice", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_source_the_one_hash_in_use_is_adopted_with_its_password()
    {
        _stack.Delete(SampleStack.Source);

        var plan = _stack.Plan();
        await plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);

        var source = JsonNode.Parse(_stack.Read(SampleStack.Source))!;
        Assert.Equal((Hash, _stack.Credential.Password), ((string?)source["bcrypt_hash"], (string?)source["raw_token"]));
        Assert.Contains($"{_stack.Credential.Hash}, becomes it", plan.Notes[0], StringComparison.Ordinal);
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Fact]
    public async Task A_hash_is_adopted_without_its_password_where_nobody_knows_it_and_that_is_said()
    {
        _stack.Delete(SampleStack.Source);
        _stack.Replace(SampleStack.RootEnv, _stack.Credential.Password, "wrong");
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "wrong");

        var plan = _stack.Plan();
        var results = await plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.EndsWith("its password is not known.", plan.Notes[0], StringComparison.Ordinal);
        Assert.Null(JsonNode.Parse(_stack.Read(SampleStack.Source))!["raw_token"]);
        Assert.Contains("COMFYUI_PASSWORD=wrong", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
        Assert.Contains("-Credential", results.Single(result => result.Location.EndsWith("#COMFYUI_PASSWORD", StringComparison.Ordinal)).Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_source_places_that_disagree_get_a_new_credential_and_the_old_ones_are_named()
    {
        _stack.Delete(SampleStack.Source);
        _stack.Write(SampleStack.RootToken, _other.Text);

        var plan = _stack.Plan();
        await plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.StartsWith("A new credential is made", plan.Notes[0], StringComparison.Ordinal);
        Assert.Contains(_stack.Credential.Hash.ToString(), plan.Notes[0], StringComparison.Ordinal);
        Assert.Contains(_other.Hash.ToString(), plan.Notes[0], StringComparison.Ordinal);
        Assert.DoesNotContain(Hash, _stack.Read(SampleStack.Source), StringComparison.Ordinal);
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Theory]
    [InlineData("place")]
    [InlineData("fingerprint")]
    [InlineData("redacted form")]
    public async Task One_of_several_hashes_can_be_adopted(string by)
    {
        _stack.Delete(SampleStack.Source);
        _stack.Write(SampleStack.RootToken, _other.Text);
        var wanted = by switch
        {
            "place" => SampleStack.RootToken,
            "fingerprint" => _other.Hash.Fingerprint.ToUpperInvariant(),
            _ => _other.Hash.ToString(),
        };

        await _stack.SynchronizeAsync(new() { Adopt = wanted });

        Assert.Equal(_other.Text, _stack.Read(SampleStack.ServiceToken).TrimEnd());
        Assert.Equal(_other.Hash.Fingerprint, _stack.Validate().Fingerprint);
    }

    [Fact]
    public void A_hash_that_nobody_has_cannot_be_adopted()
    {
        var error = Assert.Throws<ComfyAuthException>(() => _stack.Plan(new() { Adopt = "00000000" }));

        Assert.Equal("AdoptNotFound", error.Code);
        Assert.Contains(_stack.Credential.Hash.Fingerprint, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_two_hashes_does_not_say_which_is_meant()
    {
        _stack.Replace(SampleStack.RootEnv, "TZ=", $"COMFYUI_AUTH_TOKEN='{_other.Text}'\nTZ=");

        Assert.Equal("AdoptAmbiguous", Assert.Throws<ComfyAuthException>(() => _stack.Plan(new() { Adopt = ".env" })).Code);
    }

    [Fact]
    public async Task A_rotation_makes_a_new_password_and_its_hash_everywhere()
    {
        await _stack.SynchronizeAsync(new() { Rotate = true });

        var source = JsonNode.Parse(_stack.Read(SampleStack.Source))!;
        var (password, hash) = ((string)source["raw_token"]!, (string)source["bcrypt_hash"]!);
        Assert.NotEqual(Hash, hash);
        Assert.True(Bcrypt.Verify(new SecretText(password), BcryptHash.Parse(hash), TestContext.Current.CancellationToken));
        Assert.Equal(("mine", "1.0"), ((string?)source["note"], (string?)source["version"]));
        foreach (var path in SampleStack.Files)
            Assert.DoesNotContain(Hash, _stack.Read(path), StringComparison.Ordinal);
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Theory]
    [InlineData("a rotation", "Set the source of truth to a new hash (was {old})")]
    [InlineData("a password", "Set the source of truth to a new hash (was {old})")]
    [InlineData("no source", "Create the source of truth with a new hash")]
    [InlineData("a given hash", "Set the source of truth to {other} (was {old})")]
    public void A_plan_names_no_hash_that_the_next_plan_would_not_have(string kind, string expected)
    {
        if (kind == "no source")
        {
            _stack.Delete(SampleStack.Source);
            _stack.Write(SampleStack.RootToken, _other.Text);
        }

        var plan = _stack.Plan(kind switch
        {
            "a rotation" => new() { Rotate = true },
            "a password" => new() { Password = new SecretText("another") },
            "a given hash" => new() { SourceToken = new SecretText(_other.Text) },
            _ => new(),
        });

        Assert.Equal(expected.Replace("{old}", $"{_stack.Credential.Hash}", StringComparison.Ordinal).Replace("{other}", $"{_other.Hash}", StringComparison.Ordinal), plan.Changes[0].Action);
    }

    [Fact]
    public async Task A_given_password_becomes_the_credential_once()
    {
        var request = new TokenSyncRequest { UserName = "carol", Password = new SecretText("correct horse battery staple $HOME") };

        await _stack.SynchronizeAsync(request);
        var after = _stack.Snapshot();
        var again = await _stack.SynchronizeAsync(request);

        Assert.Equal(true, _stack.Validate().IsValid);
        Assert.Contains("COMFYUI_USERNAME=carol", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
        Assert.Contains("COMFYUI_PASSWORD='correct horse battery staple $HOME'", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
        Assert.All(again, result => Assert.Equal(TokenAction.None, result.Action));
        Assert.Equal(after, _stack.Snapshot());
    }

    [Fact]
    public async Task A_given_hash_is_taken_as_it_is_and_a_given_text_is_a_password()
    {
        await _stack.SynchronizeAsync(new() { SourceToken = new SecretText(_other.Text) });
        Assert.Equal((_other.Hash.Fingerprint, null), (_stack.Validate().Fingerprint, _stack.Validate().PasswordVerified));

        await _stack.SynchronizeAsync(new() { SourceToken = new SecretText("a password") });
        Assert.Equal(true, _stack.Validate().PasswordVerified);
    }

    [Fact]
    public void Two_credentials_at_once_are_refused() =>
        Assert.Equal("AmbiguousCredential", Assert.Throws<ComfyAuthException>(() => _stack.Plan(new() { Rotate = true, Adopt = "x" })).Code);

    [Fact]
    public void A_password_that_the_login_could_not_check_is_refused()
    {
        var before = _stack.Snapshot();

        Assert.Equal("PasswordTooLong", Assert.Throws<ComfyAuthException>(() => _stack.Plan(new() { Password = new SecretText(new string('x', 73)) })).Code);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_source_with_another_password_is_mended_from_the_place_that_has_the_right_one()
    {
        _stack.Replace(SampleStack.Source, _stack.Credential.Password, "wrong");

        await _stack.SynchronizeAsync();

        Assert.Equal(_stack.Credential.Password, (string?)JsonNode.Parse(_stack.Read(SampleStack.Source))!["raw_token"]);
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Fact]
    public async Task A_source_with_another_password_is_left_alone_where_nobody_knows_the_right_one()
    {
        _stack.Replace(SampleStack.Source, _stack.Credential.Password, "wrong");
        _stack.Replace(SampleStack.RootEnv, _stack.Credential.Password, "wrong");
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "wrong");
        var before = _stack.Snapshot();

        var results = await _stack.SynchronizeAsync();

        Assert.All(results, result => Assert.Equal(TokenAction.None, result.Action));
        Assert.Equal(TokenState.OtherPassword, results[0].State);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public void A_source_that_cannot_be_used_stops_everything_but_a_new_credential()
    {
        _stack.Write(SampleStack.Source, "{");

        Assert.Equal("TokenSourceInvalid", Assert.Throws<ComfyAuthException>(() => _stack.Plan()).Code);
        Assert.NotEmpty(_stack.Plan(new() { Rotate = true }).Changes);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("bad line")]
    public async Task One_place_that_cannot_be_written_leaves_all_others_as_they_are(string trouble)
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        if (trouble == "folder")
        {
            _stack.Delete(SampleStack.ServiceToken);
            Directory.CreateDirectory(_stack.PathOf(SampleStack.ServiceToken));
        }
        else
        {
            _stack.Write(SampleStack.ServiceEnv, "COMFYUI_PASSWORD='never ends\n");
        }

        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => _stack.SynchronizeAsync());

        Assert.Equal("TokenLocationUnusable", error.Code);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task An_edit_made_after_the_plan_is_not_lost()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Hash);
        var plan = _stack.Plan();
        _stack.Replace(SampleStack.RootEnv, "TZ=Europe/Paris", "TZ=Etc/UTC");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => plan.ApplyAsync(cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Contains("TZ=Etc/UTC", _stack.Read(SampleStack.RootEnv), StringComparison.Ordinal);
        Assert.Equal(_other.Text, _stack.Read(SampleStack.RootToken));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_plan_shows_what_an_audit_sees_before_and_after_whether_it_was_agreed_to_or_not(bool agreed)
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Hash);
        var plan = _stack.Plan(new() { Rotate = true });
        var before = _stack.Audit();
        Assert.Equal(before, plan.Observations);

        await plan.ApplyAsync(_ => Task.FromResult(agreed), TestContext.Current.CancellationToken);

        Assert.Equal(_stack.Audit(), plan.Observations);
        Assert.Equal(agreed, plan.Observations.All(seen => seen.State == TokenState.Match));
        Assert.Equal(agreed, before[0].Fingerprint != plan.Observations[0].Fingerprint);
    }

    [Fact]
    public async Task A_declined_change_is_not_made_and_the_others_are()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        _stack.Write(SampleStack.ServiceToken, _other.Text);

        var results = await _stack.SynchronizeAsync(approve: change => Task.FromResult(change.Observation.Location == SampleStack.ServiceToken));

        Assert.Equal((TokenAction.Declined, TokenState.Stale), Of(results, SampleStack.RootToken));
        Assert.Equal((TokenAction.Updated, TokenState.Match), Of(results, SampleStack.ServiceToken));
    }

    [Fact]
    public async Task A_new_credential_whose_source_is_declined_reaches_no_place()
    {
        var before = _stack.Snapshot();
        var asked = new List<string>();

        var results = await _stack.SynchronizeAsync(new() { Rotate = true }, change =>
        {
            asked.Add(change.Target);
            return Task.FromResult(false);
        });

        Assert.Equal([_stack.PathOf(SampleStack.Source)], asked);
        Assert.DoesNotContain(results, result => result.Action is TokenAction.Added or TokenAction.Updated);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Planning_changes_no_byte()
    {
        _stack.Delete(SampleStack.Source);
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Hash);
        var before = _stack.Snapshot();

        Assert.NotEmpty(_stack.Plan(new() { Rotate = true }).Changes);
        await _stack.SynchronizeAsync(approve: _ => Task.FromResult(false));

        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_file_that_others_may_read_is_closed_and_its_bytes_stay()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix modes are meant.");
            return;
        }

        File.SetUnixFileMode(_stack.PathOf(SampleStack.RootEnv), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var before = _stack.Read(SampleStack.RootEnv);

        var results = await _stack.SynchronizeAsync();

        Assert.Equal((TokenAction.Protected, TokenState.Match), Of(results, ".env#COMFYUI_API_TOKEN"));
        Assert.Equal(before, _stack.Read(SampleStack.RootEnv));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_stack.PathOf(SampleStack.RootEnv)));
    }

    [Fact]
    public async Task What_the_shell_shadows_cannot_be_mended_in_a_file()
    {
        _stack.Shell["COMFYUI_API_TOKEN"] = _other.Text;
        var before = _stack.Snapshot();

        var results = await _stack.SynchronizeAsync();

        Assert.Equal((TokenAction.None, TokenState.ShadowedByShell), Of(results, ".env#COMFYUI_API_TOKEN"));
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public void A_token_that_no_quoting_carries_to_every_reader_is_refused_before_anybody_is_asked()
    {
        _stack.Write("comfyauth.yml", $"services:\n  comfyui-qwen:\n    tokens:\n      - {{ file: .env, variable: COMFYUI_API_TOKEN, consumers: [compose-v2, docker-run] }}\n      - {{ file: {SampleStack.RootToken} }}\n");
        _stack.Write(SampleStack.RootToken, _other.Text);
        var before = _stack.Snapshot();

        var error = Assert.Throws<ComfyAuthException>(() => _stack.Plan());

        Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
        Assert.Contains($"{_stack.PathOf(SampleStack.RootEnv)}#COMFYUI_API_TOKEN", error.Message, StringComparison.Ordinal);
        Assert.Equal(before[_stack.PathOf(SampleStack.RootToken)], _stack.Snapshot()[_stack.PathOf(SampleStack.RootToken)]);
    }

    [Fact]
    public async Task Two_services_with_their_own_sources_have_their_own_credentials()
    {
        _stack.Write("comfyauth.yml", """
            defaults: false
            services:
              one: { url: "http://localhost:1", auth: comfyui-login, source: one.json, tokens: [ { file: one.token } ] }
              two: { url: "http://localhost:2", auth: comfyui-login, source: two.json, tokens: [ { file: two.token } ] }
            """);

        await _stack.SynchronizeAsync();

        Assert.NotEqual(_stack.Read("one.token"), _stack.Read("two.token"));
        Assert.All(_stack.Audit(), seen => Assert.Equal(TokenState.Match, seen.State));
    }

    [Fact]
    public async Task Two_services_with_one_source_share_it_and_a_place_that_both_name_is_changed_once()
    {
        _stack.Write("comfyauth.yml", """
            defaults: false
            services:
              one: { url: "http://localhost:1", auth: comfyui-login, tokens: [ { file: shared.token }, { file: one.token } ] }
              two: { url: "http://localhost:2", auth: comfyui-login, tokens: [ { file: shared.token } ] }
            """);

        var changes = _stack.Plan().Changes.Select(change => change.Observation.Location).ToList();
        await _stack.SynchronizeAsync();

        Assert.Equal(["shared.token", "one.token"], changes);
        Assert.Equal(_stack.Read("one.token"), _stack.Read("shared.token"));
    }

    [Fact]
    public async Task Several_stacks_with_one_credential_cost_one_bcrypt()
    {
        var verifier = new PasswordVerifier();
        for (var i = 0; i < 20; i++)
        {
            using var stack = new SampleStack(_stack.Credential) { Verifier = verifier };
            stack.Write(SampleStack.RootToken, _other.Text);
            await stack.SynchronizeAsync();
            Assert.Equal(true, stack.Validate().IsValid);
        }

        Assert.Equal(1, verifier.Computations);
    }

    [Fact]
    public async Task A_given_password_costs_one_bcrypt_for_all_stacks_and_gives_them_one_hash()
    {
        var verifier = new PasswordVerifier();
        var hashes = new HashSet<string>();
        for (var i = 0; i < 3; i++)
        {
            using var stack = new SampleStack(_stack.Credential) { Verifier = verifier };
            await stack.SynchronizeAsync(new() { Password = new SecretText("one for all") });
            hashes.Add(stack.Read(SampleStack.RootToken));
        }

        Assert.Single(hashes);
    }

    [Fact]
    public async Task Cancelling_changes_nothing()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        var before = _stack.Snapshot();
        using var stop = new CancellationTokenSource();

        var plan = _stack.Plan();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => plan.ApplyAsync(
            _ =>
            {
                stop.Cancel();
                return Task.FromResult(true);
            },
            stop.Token));

        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Two_paths_to_one_file_are_one_file()
    {
        _stack.Delete(SampleStack.RootEnv);
        _stack.Replace(SampleStack.ServiceEnv, $"'{Hash}'", Hash);
        File.CreateSymbolicLink(_stack.PathOf(SampleStack.RootEnv), _stack.PathOf(SampleStack.ServiceEnv));

        var results = await _stack.SynchronizeAsync();

        Assert.All(results, result => Assert.Equal(TokenState.Match, result.State));
        Assert.All(await _stack.SynchronizeAsync(), result => Assert.Equal(TokenAction.None, result.Action));
    }

    [Fact]
    public async Task A_name_without_a_value_is_given_one()
    {
        _stack.Replace(SampleStack.RootEnv, $"COMFYUI_API_TOKEN='{Hash}'", "COMFYUI_API_TOKEN");

        Assert.Equal((TokenAction.Added, TokenState.Match), Of(await _stack.SynchronizeAsync(), ".env#COMFYUI_API_TOKEN"));
    }

    [Theory]
    [InlineData(-3, "")]
    [InlineData(0, "\r")]
    public void A_damaged_hash_is_not_taken_for_a_password(int cut, string end)
    {
        var damaged = new SecretText(_other.Text[..(_other.Text.Length + cut)] + end);

        Assert.Equal("SourceTokenInvalid", Assert.Throws<ComfyAuthException>(() => _stack.Plan(new() { SourceToken = damaged })).Code);
    }

    [Fact]
    public async Task The_sources_second_password_is_mended()
    {
        _stack.Replace(SampleStack.Source, "\"note\"", "\"password\": \"an older one\", \"note\"");

        await _stack.SynchronizeAsync();

        Assert.Equal(_stack.Credential.Password, (string?)JsonNode.Parse(_stack.Read(SampleStack.Source))!["password"]);
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Fact]
    public async Task A_link_is_followed_and_stays()
    {
        _stack.Delete(SampleStack.RootToken);
        _stack.Write("elsewhere.token", _other.Text);
        File.CreateSymbolicLink(_stack.PathOf(SampleStack.RootToken), _stack.PathOf("elsewhere.token"));

        await _stack.SynchronizeAsync();

        Assert.NotNull(new FileInfo(_stack.PathOf(SampleStack.RootToken)).LinkTarget);
        Assert.Equal(Hash, _stack.Read("elsewhere.token"));
    }

    [Fact]
    public void Nothing_that_a_plan_says_holds_a_secret()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);

        var plan = _stack.Plan(new() { Password = new SecretText("hunter2-hunter2") });
        var said = string.Join('\n', plan.Notes.Concat(plan.Changes.SelectMany(change => new[] { change.Target, change.Action, change.Observation.Evidence })));

        Assert.All(new[] { "hunter2", Hash[7..20], _other.Text[7..20], _stack.Credential.Password }, secret => Assert.DoesNotContain(secret, said, StringComparison.Ordinal));
    }

    private static (TokenAction Action, TokenState State) Of(IReadOnlyList<TokenSyncResult> results, string location)
    {
        var result = results.Single(result => result.Location == location);
        return (result.Action, result.State);
    }
}
