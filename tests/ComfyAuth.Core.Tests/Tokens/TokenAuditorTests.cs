using System.Text.Json;
using ComfyAuth.Reports;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Tokens;

public sealed class TokenAuditorTests : IDisposable
{
    private readonly SampleStack _stack = new();

    private string Hash => _stack.Credential.Text;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public void A_sound_stack_matches_everywhere()
    {
        var seen = _stack.Audit();

        Assert.All(seen, observation => Assert.Equal((TokenState.Match, ""), (observation.State, observation.Remedy)));
        Assert.Equal(SampleStack.Files.Order(), seen.Select(observation => observation.Location.Split('#')[0]).Distinct().Order());
        Assert.True(seen[0].IsSource);
        Assert.All(seen.Where(observation => observation.Role == TokenRole.Hash), observation => Assert.Equal(_stack.Credential.Hash.Fingerprint, observation.Fingerprint));
    }

    /// <summary>Each way a hash was found damaged, in a file that holds it alone.</summary>
    public static TheoryData<string, string, TokenState> WholeFileFaults => new()
    {
        { "another", "{other}", TokenState.Stale },
        { "cut", "{hash:-9}", TokenState.Truncated },
        { "cut after the cost", "$2b$12", TokenState.Truncated },
        { "run lost from the middle", "{hash:lost}", TokenState.Truncated },
        { "quoted", "'{hash}'", TokenState.QuotedLiterally },
        { "double-quoted", "\"{hash}\"\n", TokenState.QuotedLiterally },
        { "escaped", "{hash:escaped}", TokenState.QuotedLiterally },
        { "carriage return", "{hash}\r\n", TokenState.CarriageReturn },
        { "trailing space", "{hash} \n", TokenState.CarriageReturn },
        { "byte order mark", "\uFEFF{hash}", TokenState.ByteOrderMark },
        { "byte order mark and carriage return", "\uFEFF{hash}\r\n", TokenState.ByteOrderMark },
        { "doubled", "{hash:doubled}", TokenState.DoubledDollar },
        { "without dollars", "{hash:bare}", TokenState.MissingDollar },
        { "name repeated", "COMFYUI_API_TOKEN={hash}", TokenState.Malformed },
        { "a word", "changeme", TokenState.Malformed },
        { "two lines", "{hash}\n{other}\n", TokenState.Malformed },
        { "the sign-extension variant", "{hash:x}", TokenState.Malformed },
        { "empty", "", TokenState.Missing },
        { "newline only", "\n", TokenState.Missing },
    };

    [Theory]
    [MemberData(nameof(WholeFileFaults))]
    public void A_damaged_token_file_is_named(string damage, string text, TokenState expected)
    {
        _stack.Write(SampleStack.RootToken, Fill(text));

        var seen = _stack.ObservationOf(SampleStack.RootToken);

        Assert.True(expected == seen.State, $"{damage}: {seen.State}, {seen.Evidence}");
        Assert.NotEmpty(seen.Evidence);
        Assert.NotEmpty(seen.Remedy);
    }

    [Theory]
    [MemberData(nameof(WholeFileFaults))]
    public async Task A_damaged_token_file_is_mended(string damage, string text, TokenState expected)
    {
        _stack.Write(SampleStack.RootToken, Fill(text));

        var results = await _stack.SynchronizeAsync();

        Assert.Equal((damage, expected, TokenState.Match), (damage, results.Single(result => result.Location == SampleStack.RootToken).Before, _stack.ObservationOf(SampleStack.RootToken).State));
    }

    /// <summary>How a variable's text is written, and what its readers make of it.</summary>
    public static TheoryData<string, TokenState> VariableFaults => new()
    {
        { "'{hash}'", TokenState.Match },
        { "'{hash}' # a comment", TokenState.Match },
        { "{hash}", TokenState.Truncated },
        { "\"{hash}\"", TokenState.Truncated },
        { "{hash:doubled}", TokenState.DoubledDollar },
        { "'{hash:doubled}'", TokenState.DoubledDollar },
        { "\"{hash:escaped}\"", TokenState.QuotedLiterally },
        { "'\"{hash}\"'", TokenState.QuotedLiterally },
        { "'{hash:-1}'", TokenState.Truncated },
        { "'{other}'", TokenState.Stale },
        { "'{hash:bare}'", TokenState.MissingDollar },
        { "", TokenState.Missing },
        { "COMFYUI_API_TOKEN='{hash}'", TokenState.Malformed },
    };

    [Theory]
    [MemberData(nameof(VariableFaults))]
    public void A_variable_is_judged_by_what_its_readers_get(string written, TokenState expected)
    {
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Fill(written));

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.True(expected == seen.State, $"{written}: {seen.State}, {seen.Evidence}");
    }

    [Fact]
    public void An_unquoted_hash_whose_salt_starts_with_no_letter_survives()
    {
        using var stack = new SampleStack(new SampleCredential(saltStartsWithLetter: false));
        stack.Replace(SampleStack.RootEnv, $"'{stack.Credential.Text}'", stack.Credential.Text);

        Assert.Equal(TokenState.Match, stack.ObservationOf(".env#COMFYUI_API_TOKEN").State);
    }

    [Fact]
    public void What_compose_cuts_is_named_by_length_and_place_and_not_shown()
    {
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Hash);
        var lost = Hash[6..].TakeWhile((letter, index) => index == 0 || char.IsAsciiLetterOrDigit(letter)).Count();

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.Contains($"As Compose v2 reads it: the run of {lost} characters at line 2, column 25", seen.Evidence, StringComparison.Ordinal);
        Assert.Equal(2, seen.Line);
        Assert.DoesNotContain(Hash.Substring(6, 2), seen.Evidence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'{hash}'", "As {reader} reads it: ", "docker run --env-file")]
    [InlineData("{hash}", "{reader} cannot read line 2: ", "bash")]
    public void A_reader_is_called_the_same_where_it_misreads_and_where_nothing_can_be_written_for_it(string written, string beginning, string reader)
    {
        _stack.Write("comfyauth.yml", "services:\n  comfyui-qwen:\n    tokens:\n      - { file: .env, variable: COMFYUI_API_TOKEN, consumers: [docker-run, shell] }\n");
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Fill(written));

        Assert.StartsWith(beginning.Replace("{reader}", reader, StringComparison.Ordinal), _stack.ObservationOf(".env#COMFYUI_API_TOKEN").Evidence, StringComparison.Ordinal);
        Assert.Contains(reader, Assert.Throws<ComfyAuthException>(() => _stack.Plan()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{hash}\r\nalice\r\n", TokenState.CarriageReturn)]
    [InlineData("{hash}\nalice\r\n", TokenState.CarriageReturn)]
    [InlineData("\uFEFF{hash}\nalice\n", TokenState.ByteOrderMark)]
    [InlineData("{hash}", TokenState.Match)]
    [InlineData("{hash}\nsomebody else\n", TokenState.Match)]
    [InlineData("{other}\nalice\n", TokenState.Stale)]
    [InlineData("", TokenState.Missing)]
    public async Task A_password_file_is_judged_by_its_first_line_and_its_line_ends(string text, TokenState expected)
    {
        _stack.Write(SampleStack.PasswordFile, Fill(text));

        // A PASSWORD file is looked at where it stands; an empty one stands there too, and opens the server to anybody.
        Assert.Equal(expected, _stack.ObservationOf(SampleStack.PasswordFile).State);
        await _stack.SynchronizeAsync();
        Assert.Equal(TokenState.Match, _stack.ObservationOf(SampleStack.PasswordFile).State);
        Assert.DoesNotContain('\r', _stack.Read(SampleStack.PasswordFile));
    }

    [Fact]
    public void A_password_that_the_hash_is_not_of_is_told_from_a_hash_in_its_place()
    {
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "something else");
        _stack.Replace(SampleStack.RootEnv, _stack.Credential.Password, $"'{Hash}'");

        Assert.Equal(TokenState.OtherPassword, _stack.ObservationOf($"{SampleStack.ServiceEnv}#COMFYUI_PASSWORD").State);
        Assert.Equal(TokenState.Malformed, _stack.ObservationOf(".env#COMFYUI_RAW_TOKEN").State);
    }

    [Fact]
    public void Another_user_name_is_stale_where_the_source_names_one()
    {
        _stack.Replace(SampleStack.Source, "\"note\"", "\"username\": \"bob\", \"note\"");

        Assert.Equal(TokenState.Stale, _stack.ObservationOf($"{SampleStack.ServiceEnv}#COMFYUI_USERNAME").State);
    }

    [Fact]
    public void A_variable_of_the_shell_shadows_the_file()
    {
        _stack.Shell["COMFYUI_API_TOKEN"] = new SampleCredential().Text;

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.Equal(TokenState.ShadowedByShell, seen.State);
        Assert.Contains("Remove-Item Env:COMFYUI_API_TOKEN", seen.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_value_in_the_shell_shadows_nothing()
    {
        _stack.Shell["COMFYUI_API_TOKEN"] = Hash;

        Assert.Equal(TokenState.Match, _stack.ObservationOf(".env#COMFYUI_API_TOKEN").State);
    }

    [Theory]
    [InlineData("{hash}", TokenState.Truncated)]
    [InlineData("'{hash}'", TokenState.Match)]
    [InlineData("'{other}'", TokenState.Stale)]
    [InlineData("", TokenState.Missing)]
    public async Task A_line_that_only_compose_v2_can_read_is_judged_for_it_alone(string written, TokenState expected)
    {
        _stack.Write("comfyauth.yml", "services:\n  comfyui-qwen:\n    tokens:\n      - { file: .env, variable: COMFYUI_API_TOKEN, consumers: [compose-v2] }\n");
        _stack.Replace(SampleStack.RootEnv, $"COMFYUI_API_TOKEN='{Hash}'", Fill("COMFYUI_API_TOKEN: " + written));
        _stack.Shell["COMFYUI_API_TOKEN"] = Hash;

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.True(expected == seen.State, $"{written}: {seen.State}, {seen.Evidence}");
        Assert.Equal(expected == TokenState.Missing, seen.Fingerprint is null);
        await _stack.SynchronizeAsync();
        Assert.Equal(TokenState.Match, _stack.ObservationOf(".env#COMFYUI_API_TOKEN").State);
    }

    [Fact]
    public void A_folder_in_place_of_a_file_is_what_docker_left()
    {
        _stack.Delete(SampleStack.RootToken);
        Directory.CreateDirectory(_stack.PathOf(SampleStack.RootToken));

        Assert.Equal(TokenState.IsDirectory, _stack.ObservationOf(SampleStack.RootToken).State);
    }

    [Fact]
    public void A_secret_that_looks_like_an_assignment_is_not_shown()
    {
        _stack.Write(SampleStack.RootToken, "cGFkZGVkIHNlY3JldCE=");

        Assert.DoesNotContain("cGFk", _stack.ObservationOf(SampleStack.RootToken).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_where_the_user_name_belongs_is_not_shown()
    {
        _stack.Replace(SampleStack.Source, "\"raw_token\"", "\"username\": \"alice\", \"raw_token\"");
        _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_USERNAME=alice", "COMFYUI_USERNAME=correct-horse");

        var seen = _stack.ObservationOf(SampleStack.ServiceEnv + "#COMFYUI_USERNAME");

        Assert.Equal(TokenState.Stale, seen.State);
        Assert.DoesNotContain("horse", seen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_text_or_far_too_large_is_no_credential()
    {
        File.WriteAllBytes(_stack.PathOf(SampleStack.RootToken), [0xFF, 0xFE, 0x00, 0xC3]);
        using (var huge = File.OpenWrite(_stack.PathOf(SampleStack.ServiceToken)))
            huge.SetLength(1L << 30);

        Assert.Equal(TokenState.Malformed, _stack.ObservationOf(SampleStack.RootToken).State);
        Assert.Equal(TokenState.Unreadable, _stack.ObservationOf(SampleStack.ServiceToken).State);
        Assert.False(_stack.ObservationOf(SampleStack.ServiceToken).IsFault);
    }

    [Theory]
    [InlineData("folder", TokenState.IsDirectory, "lets everybody in, without a token", "delete the folder, then synchronise")]
    [InlineData("utf-16", TokenState.Malformed, "lets everybody in, without a token", "Synchronise. Then restart the container that reads it.")]
    [InlineData("empty", TokenState.Missing, "an empty token has full access", "Synchronise. Then restart the container that reads it.")]
    public async Task A_PASSWORD_file_that_leaves_the_login_open_says_so(string fault, TokenState expected, string evidence, string remedy)
    {
        var path = _stack.PathOf(SampleStack.PasswordFile);
        File.Delete(path);
        if (fault == "folder")
            Directory.CreateDirectory(path);
        else if (fault == "empty")
            _stack.Write(SampleStack.PasswordFile, "");
        else
            File.WriteAllText(path, $"{_stack.Credential.Text}\nalice\n", System.Text.Encoding.Unicode);

        var seen = _stack.ObservationOf(SampleStack.PasswordFile);

        Assert.Equal(expected, seen.State);
        Assert.Contains(evidence, seen.Evidence, StringComparison.Ordinal);
        Assert.Contains(remedy, seen.Remedy, StringComparison.Ordinal);
        if (fault == "folder")
        {
            Assert.Equal("TokenLocationUnusable", (await Assert.ThrowsAsync<ComfyAuthException>(() => _stack.SynchronizeAsync())).Code);
            return;
        }

        await _stack.SynchronizeAsync();
        Assert.Equal((TokenState.Match, _stack.Credential.Text), (_stack.ObservationOf(SampleStack.PasswordFile).State, _stack.Read(SampleStack.PasswordFile).Split('\n')[0]));
    }

    [Fact]
    public void A_line_that_cannot_be_parsed_is_named_with_its_place()
    {
        _stack.Write(SampleStack.RootEnv, "TZ=Europe/Paris\nCOMFYUI_API_TOKEN='never ends\n");

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.Equal((TokenState.Malformed, 2), (seen.State, seen.Line));
        Assert.DoesNotContain("never ends", seen.Evidence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X=${never")]
    [InlineData("X=${A:?must be set}")]
    public void A_file_that_compose_refuses_as_a_whole_is_no_match(string line)
    {
        _stack.Write(SampleStack.RootEnv, _stack.Read(SampleStack.RootEnv) + line + "\n");

        var seen = _stack.ObservationOf(".env#COMFYUI_API_TOKEN");

        Assert.Equal((TokenState.Malformed, 5), (seen.State, seen.Line));
        Assert.Equal(false, _stack.Validate().IsValid);
    }

    [Fact]
    public void A_pipe_in_place_of_a_file_is_not_read()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("A Unix pipe is meant.");
            return;
        }

        _stack.Delete(SampleStack.RootToken);
        using (var maker = System.Diagnostics.Process.Start("mkfifo", [_stack.PathOf(SampleStack.RootToken)]))
            maker.WaitForExit();

        Assert.Equal(TokenState.Unreadable, _stack.ObservationOf(SampleStack.RootToken).State);
    }

    [Fact]
    public void The_sources_second_password_counts_too()
    {
        _stack.Replace(SampleStack.Source, "\"note\"", "\"password\": \"an older one\", \"note\"");

        Assert.Equal(TokenState.OtherPassword, _stack.Audit()[0].State);
    }

    [Fact]
    public void A_file_that_others_may_read_is_exposed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix modes are meant.");
            return;
        }

        File.SetUnixFileMode(_stack.PathOf(SampleStack.RootToken), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        Assert.Equal(TokenState.Exposed, _stack.ObservationOf(SampleStack.RootToken).State);
    }

    [Fact]
    public void What_need_not_be_there_is_not_missed()
    {
        _stack.Delete(SampleStack.NotebooksEnv);
        _stack.Delete(SampleStack.PasswordFile);

        Assert.All(_stack.Audit(), seen => Assert.Equal(TokenState.Match, seen.State));
    }

    [Fact]
    public void Without_a_source_the_one_hash_in_use_is_what_the_places_are_compared_with()
    {
        _stack.Delete(SampleStack.Source);

        var seen = _stack.Audit();

        Assert.Equal(TokenState.Missing, seen[0].State);
        Assert.Contains(_stack.Credential.Hash.Fingerprint, seen[0].Evidence, StringComparison.Ordinal);
        Assert.All(seen.Skip(1), observation => Assert.Equal(TokenState.Match, observation.State));
    }

    [Fact]
    public void Without_a_source_hashes_that_disagree_are_listed_and_none_is_called_wrong()
    {
        _stack.Delete(SampleStack.Source);
        var other = new SampleCredential();
        _stack.Write(SampleStack.RootToken, other.Text);

        var seen = _stack.Audit();

        Assert.Contains($"bcrypt:{other.Hash.Fingerprint} at {SampleStack.RootToken}", seen[0].Evidence, StringComparison.Ordinal);
        Assert.All(seen.Skip(1).Where(observation => observation.Role != TokenRole.UserName), observation => Assert.Equal(TokenState.Undetermined, observation.State));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"bcrypt_hash\": \"changeme\"}")]
    [InlineData("{\"raw_token\": \"x\"}")]
    [InlineData("{\"bcrypt_hash\": 5}")]
    [InlineData("{\"bcrypt_hash\": \"a\", \"bcrypt_hash\": \"b\"}")]
    [InlineData("[]")]
    [InlineData("")]
    public void A_source_that_cannot_be_used_is_malformed_and_not_shown(string text)
    {
        _stack.Write(SampleStack.Source, text);

        var source = _stack.Audit()[0];

        Assert.Equal(TokenState.Malformed, source.State);
        Assert.DoesNotContain("changeme", source.Evidence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raw_token")]
    [InlineData("password")]
    public async Task A_source_whose_password_is_no_text_is_malformed_and_can_be_replaced(string key)
    {
        var password = key == "raw_token" ? "5" : $"\"{_stack.Credential.Password}\", \"password\": 5";
        _stack.Replace(SampleStack.Source, $"\"{_stack.Credential.Password}\"", password);

        Assert.Equal(TokenState.Malformed, _stack.Audit()[0].State);
        Assert.Equal(false, _stack.Validate().IsValid);
        await _stack.SynchronizeAsync(new() { Rotate = true });
        Assert.Equal(true, _stack.Validate().IsValid);
    }

    [Fact]
    public void A_source_with_a_byte_order_mark_is_read_as_the_original_read_it()
    {
        _stack.Write(SampleStack.Source, "\uFEFF" + _stack.Read(SampleStack.Source));

        Assert.Equal(TokenState.Match, _stack.Audit()[0].State);
    }

    [Fact]
    public void The_password_is_proved_by_bcrypt_once()
    {
        var validation = _stack.Validate();

        Assert.Equal((true, true, 1), (validation.IsValid, validation.PasswordVerified, _stack.Verifier.Computations));
        Assert.Empty(validation.Findings);
    }

    [Fact]
    public void A_source_whose_password_is_another_is_not_valid()
    {
        _stack.Replace(SampleStack.Source, _stack.Credential.Password, "other");
        _stack.Replace(SampleStack.RootEnv, _stack.Credential.Password, "other");
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "other");

        var validation = _stack.Validate();

        Assert.Equal((false, false), (validation.IsValid, validation.PasswordVerified));
        Assert.Equal(TokenState.OtherPassword, _stack.Audit()[0].State);
        Assert.Equal(TokenState.OtherPassword, _stack.ObservationOf($"{SampleStack.ServiceEnv}#COMFYUI_PASSWORD").State);
    }

    [Fact]
    public void Where_nobody_knows_the_password_the_answer_is_neither_yes_nor_no()
    {
        _stack.Replace(SampleStack.Source, $"\"{_stack.Credential.Password}\"", "null");
        _stack.Replace(SampleStack.RootEnv, $"COMFYUI_RAW_TOKEN={_stack.Credential.Password}\n", "");
        _stack.Replace(SampleStack.ServiceEnv, $"COMFYUI_PASSWORD={_stack.Credential.Password}\n", "");

        var validation = _stack.Validate();

        Assert.Equal((null, null), (validation.IsValid, validation.PasswordVerified));
        Assert.Equal(TokenState.Undetermined, _stack.ObservationOf(".env#COMFYUI_RAW_TOKEN").State);
    }

    [Fact]
    public void A_stack_without_a_login_service_says_so()
    {
        _stack.Write("comfyauth.yml", "services:\n  comfyui-qwen: { auth: none }\n");

        Assert.Equal("NoLoginService", Assert.Throws<ComfyAuthException>(_stack.Audit).Code);
    }

    [Fact]
    public void Nothing_that_an_audit_gives_holds_a_secret()
    {
        var other = new SampleCredential();
        _stack.Write(SampleStack.RootToken, other.Text + "\r\n");
        _stack.Replace(SampleStack.RootEnv, $"'{Hash}'", Hash);
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, other.Password);
        _stack.Write(SampleStack.ServiceToken, $"COMFYUI_API_TOKEN={Hash[..50]}");

        var seen = _stack.Audit();
        var json = JsonSerializer.Serialize(TokenReport.Of(seen, DateTimeOffset.UnixEpoch), ReportJsonContext.Default.TokenReport) + string.Join('\n', _stack.Validate().Findings);

        foreach (var secret in new[] { Hash, _stack.Credential.Password, other.Text, other.Password })
        {
            for (var start = 7; start + 6 <= secret.Length; start++)
                Assert.DoesNotContain(secret.Substring(start, 6), json, StringComparison.Ordinal);
        }
    }

    private string Fill(string text) => text
        .Replace("{hash}", Hash, StringComparison.Ordinal)
        .Replace("{hash:-9}", Hash[..^9], StringComparison.Ordinal)
        .Replace("{hash:-1}", Hash[..^1], StringComparison.Ordinal)
        .Replace("{hash:lost}", Hash[..6] + Hash[20..], StringComparison.Ordinal)
        .Replace("{hash:escaped}", Hash.Replace("$", @"\$", StringComparison.Ordinal), StringComparison.Ordinal)
        .Replace("{hash:doubled}", Hash.Replace("$", "$$", StringComparison.Ordinal), StringComparison.Ordinal)
        .Replace("{hash:bare}", Hash.Replace("$", "", StringComparison.Ordinal), StringComparison.Ordinal)
        .Replace("{hash:x}", "$2x" + Hash[3..], StringComparison.Ordinal)
        .Replace("{other}", new SampleCredential().Text, StringComparison.Ordinal);
}
