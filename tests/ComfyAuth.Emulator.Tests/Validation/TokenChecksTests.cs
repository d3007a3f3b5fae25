using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class TokenChecksTests
{
    [Theory]
    [InlineData("token.source")]
    [InlineData("token.files")]
    [InlineData("token.validation")]
    public async Task A_credential_that_agrees_everywhere_passes(string id)
    {
        await using var bench = await StackBench.StartAsync();

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync(id)).Status);
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{\"bcrypt_hash\": \"$2b$12$short\"}", "not a bcrypt hash")]
    [InlineData("{\"raw_token\": \"x\"}", "no bcrypt_hash")]
    public async Task A_source_that_holds_no_credential_fails(string text, string told)
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.Source, text);

        var result = await bench.CheckAsync("token.source");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Contains(told, result.Message, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("token.files")).Status);
    }

    [Fact]
    public async Task A_folder_in_place_of_the_source_fails()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.Source);
        Directory.CreateDirectory(bench.Files.PathOf(SampleStack.Source));

        var result = await bench.CheckAsync("token.source");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Contains("folder", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_is_missing_is_made_of_the_hash_in_use()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.Source);

        var result = await bench.CheckAsync("token.source");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        await bench.FixAsync("token.source");

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("token.source")).Status);
        Assert.Contains(bench.Files.Credential.Text, bench.Files.Read(SampleStack.Source), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_source_nobody_chooses_among_several_hashes()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.Source);
        bench.Files.Write(SampleStack.RootToken, new SampleCredential().Text);

        var result = await bench.CheckAsync("token.source");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
    }

    [Fact]
    public async Task A_place_with_another_hash_fails_and_can_be_mended()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.RootToken, new SampleCredential().Text);

        var result = await bench.CheckAsync("token.files");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        Assert.Contains($"{SampleStack.RootToken}:1 Stale", Assert.Single(result.Evidence), StringComparison.Ordinal);
        Assert.Equal([bench.Files.PathOf(SampleStack.RootToken)], await bench.FixAsync("token.files"));

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("token.files")).Status);
    }

    [Fact]
    public async Task What_nobody_agrees_to_is_not_mended()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.RootToken, "stale");

        await bench.FixAsync("token.files", agrees: false);

        Assert.Equal("stale", bench.Files.Read(SampleStack.RootToken));
    }

    [Fact]
    public async Task A_folder_in_place_of_a_token_file_cannot_be_mended()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.ServiceToken);
        Directory.CreateDirectory(bench.Files.PathOf(SampleStack.ServiceToken));

        var result = await bench.CheckAsync("token.files");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
    }

    [Fact]
    public async Task Who_may_read_a_file_is_no_matter_of_what_it_holds()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix modes.");
        await using var bench = await StackBench.StartAsync();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(bench.Files.PathOf(SampleStack.RootToken), (UnixFileMode)0b110_100_100);

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("token.files")).Status);
    }

    [Fact]
    public async Task A_password_that_the_hash_is_not_of_fails()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Replace(SampleStack.Source, bench.Files.Credential.Password, "another-password");

        var result = await bench.CheckAsync("token.validation");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        await bench.FixAsync("token.validation");

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("token.validation")).Status);
    }

    [Fact]
    public async Task A_password_that_nobody_knows_is_not_compared()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.Source, $$"""{"bcrypt_hash": "{{bench.Files.Credential.Text}}"}""");
        foreach (var path in new[] { SampleStack.RootEnv, SampleStack.ServiceEnv })
            bench.Files.Replace(path, bench.Files.Credential.Password, "");

        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("token.validation")).Status);
    }

    [Fact]
    public async Task The_running_container_is_compared_with_the_source()
    {
        await using var bench = await StackBench.StartAsync();
        var path = "/workspace/ComfyUI/login/PASSWORD";
        bench.Engine.Change(StackBench.Service, container => container with
        {
            Environment = [$"COMFYUI_BEARER_TOKEN={bench.Files.Credential.Text}"],
            Files = new Dictionary<string, EmulatedFile> { [path] = new(bench.Files.Credential.Text + "\nalice\n") },
        });
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("token.running")).Status);

        bench.Engine.Change(StackBench.Service, container => container with { Environment = [$"COMFYUI_BEARER_TOKEN={new SampleCredential().Text}"] });
        var result = await bench.CheckAsync("token.running");
        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("COMFYUI_BEARER_TOKEN is", result.Message, StringComparison.Ordinal);
        Assert.Contains("anew", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_whose_password_file_is_nowhere_cannot_be_compared()
    {
        await using var bench = await StackBench.StartAsync();

        Assert.Contains((await bench.CheckAsync("token.running")).Status, new[] { CheckStatus.Error, CheckStatus.Failed });
    }

    [Fact]
    public async Task A_hash_that_is_quick_to_compute_is_a_warning()
    {
        await using var bench = await StackBench.StartAsync();

        var result = await bench.CheckAsync("token.strength");

        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Contains("cost", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_common_password_that_nobody_wrote_down_is_found_by_trying()
    {
        await using var bench = await StackBench.StartAsync();
        var hash = Bcrypt.Hash(new SecretText("changeme"), Bcrypt.MinimumCost, TestContext.Current.CancellationToken);
        bench.Files.Write(SampleStack.Source, $$"""{"bcrypt_hash": "{{hash.Reveal()}}"}""");

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("token.strength")).Status);
        Assert.Equal(CheckStatus.Failed, (await bench.CheckAsync("token.strength", deep: true)).Status);
    }

    [Theory]
    [InlineData("correct horse battery", "alice", 12, false, 0)]
    [InlineData("correct horse battery", "alice", 10, false, 0)]
    [InlineData("correct horse battery", "alice", 9, false, 1)]
    [InlineData("elevenchars", "alice", 12, false, 1)]
    [InlineData("short-7", "alice", 12, true, 1)]
    [InlineData("PassWord123", "alice", 12, true, 2)]
    [InlineData("alice-in-wonderland", "Alice-in-Wonderland", 12, true, 1)]
    [InlineData("aaaaaaaaaaaaaaaabbbb", "alice", 12, true, 1)]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", null, 12, true, 1)]
    [InlineData(null, null, 12, false, 0)]
    public void The_strength_of_a_credential_is_judged(string? password, string? userName, int cost, bool fails, int weaknesses)
    {
        var judged = TokenChecks.Weaknesses(password is null ? null : new SecretText(password), userName, cost);

        Assert.Equal((fails, weaknesses), (judged.Fault is not null, judged.Weaknesses.Count));
    }
}
