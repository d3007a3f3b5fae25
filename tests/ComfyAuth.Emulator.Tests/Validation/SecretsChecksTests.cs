using System.Text;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class SecretsChecksTests
{
    [Theory]
    [InlineData("secrets.permissions")]
    [InlineData("secrets.leaks")]
    [InlineData("secrets.container")]
    [InlineData("secrets.logs")]
    public async Task Secrets_that_stand_where_they_belong_pass(string id)
    {
        await using var bench = await StackBench.StartAsync();

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync(id)).Status);
    }

    [Fact]
    public async Task A_file_that_others_may_read_fails_and_is_closed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix modes.");
        await using var bench = await StackBench.StartAsync();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(bench.Files.PathOf(SampleStack.RootEnv), (UnixFileMode)0b110_100_000);

        var result = await bench.CheckAsync("secrets.permissions");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        Assert.Equal([".env: others than its owner may read it"], result.Evidence);
        Assert.Equal([bench.Files.PathOf(SampleStack.RootEnv)], await bench.FixAsync("secrets.permissions"));

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("secrets.permissions")).Status);
    }

    [Fact]
    public async Task A_folder_in_place_of_a_secret_file_fails_and_cannot_be_mended()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.ServiceToken);
        Directory.CreateDirectory(bench.Files.PathOf(SampleStack.ServiceToken));

        var result = await bench.CheckAsync("secrets.permissions");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Contains("folder", result.Evidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_in_other_files_are_found_with_their_lines_in_whatever_form()
    {
        await using var bench = await StackBench.StartAsync();
        var (text, password) = (bench.Files.Credential.Text, bench.Files.Credential.Password);
        bench.Files.Write("scripts/test.ps1", $"# test\n$token = '{text}'\n\n$password = '{password}'\n");
        bench.Files.Write("docker-compose.override.yml", $"x: {text.Replace("$", "$$", StringComparison.Ordinal)}\n");
        bench.Files.Write("notes/old.txt", Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{password}")));
        File.WriteAllText(bench.Files.PathOf("notes/windows.txt"), $"a\r\n{password}\r\n", Encoding.Unicode);

        var result = await bench.CheckAsync("secrets.leaks");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Equal(
            [
                $"docker-compose.override.yml:1 holds the token {bench.Files.Credential.Hash}",
                "notes/old.txt:1 holds a secret of the stack, encoded",
                $"notes/windows.txt:2 holds the password of {SampleStack.Source}",
                $"scripts/test.ps1:2 holds the token {bench.Files.Credential.Hash}",
                $"scripts/test.ps1:4 holds the password of {SampleStack.Source}",
            ],
            result.Evidence.Take(5));
    }

    [Fact]
    public async Task What_is_no_text_or_not_the_stacks_is_passed_over()
    {
        await using var bench = await StackBench.StartAsync();
        var text = bench.Files.Credential.Text;
        foreach (var path in new[] { "node_modules/a.js", ".git/objects/ab/cd", "docker-configurations/shared/models/x/readme.txt", "venv/b.py", ".secrets/other.txt", $"{SampleStack.Service}/_backups/.env.backup.20260102_030405" })
            bench.Files.Write(path, text);
        bench.Files.Write("image.png", "\0\0" + text);

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("secrets.leaks")).Status);
        bench.Files.Write(".git/config", text);
        Assert.Equal(CheckStatus.Failed, (await bench.CheckAsync("secrets.leaks")).Status);
    }

    [Fact]
    public async Task Hostile_files_do_not_hold_up_the_search()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes of the file system.");
        await using var bench = await StackBench.StartAsync();
        using (var pipe = System.Diagnostics.Process.Start("mkfifo", bench.Files.PathOf("pipe")))
            await pipe.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(bench.Files.PathOf("loop"), bench.Files.Root);
        File.CreateSymbolicLink(bench.Files.PathOf("zero"), "/dev/zero");
        File.WriteAllBytes(bench.Files.PathOf("garbage"), [0xFF, 0xFE, 0x00, 0xD8, 0x0A]);
        File.WriteAllText(bench.Files.PathOf("lines"), new string('\n', SecretScan.MostOfOneFile + 10));
        bench.Files.Write("many.txt", string.Concat(Enumerable.Repeat(bench.Files.Credential.Password + "\n", 100_000)));

        var result = await bench.CheckAsync("secrets.leaks");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.True(result.Evidence.Count < 30);
        Assert.Contains(result.Evidence, line => line.Contains("2 of them only in their first", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_read_is_told_and_nothing_is_called_clean()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "Root may read everything.");
        await using var bench = await StackBench.StartAsync();
        var folder = Directory.CreateDirectory(bench.Files.PathOf("closed"));
        if (!OperatingSystem.IsWindows())
            folder.UnixFileMode = UnixFileMode.None;

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("secrets.leaks")).Status);
        if (!OperatingSystem.IsWindows())
            folder.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    }

    [Fact]
    public void Placeholders_short_values_and_common_words_are_no_secrets_to_look_for()
    {
        var secrets = new KnownSecrets([("h", "A"), ("your_token_here", "B"), ("password", "C"), ("<token-of-mine>", "D"), ("${HF_TOKEN:-none}", "E"), ("a-real-secret-1", "F")]);

        Assert.Equal(1, secrets.Count);
        Assert.Equal([(2, "F")], secrets.Find("your_token_here password\na-real-secret-1 a-real-secret-1"));
    }

    [Theory]
    [InlineData("command")]
    [InlineData("healthcheck")]
    [InlineData("label")]
    public async Task Secrets_in_the_settings_of_a_container_fail(string place)
    {
        await using var bench = await StackBench.StartAsync();
        var secret = bench.Files.Credential.Text;
        bench.Engine.Change(StackBench.Service, container => place switch
        {
            "command" => container with { Command = ["python", "main.py", "--token=" + secret] },
            "healthcheck" => container with { Healthcheck = container.Healthcheck! with { Test = ["CMD-SHELL", $"curl -H 'Authorization: Bearer {secret.Replace("$", "$$", StringComparison.Ordinal)}' localhost"] } },
            _ => container with { Labels = new Dictionary<string, string> { ["note"] = bench.Files.Credential.Password } },
        });

        var result = await bench.CheckAsync("secrets.container");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(place, Assert.Single(result.Evidence), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_that_the_login_writes_into_the_log_is_told_and_anything_else_fails()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Write(StackBench.Service, $"For direct API calls, use token={bench.Files.Credential.Text}");
        var known = await bench.CheckAsync("secrets.logs");
        Assert.Equal(CheckStatus.Passed, known.Status);
        Assert.Contains("use token=", Assert.Single(known.Evidence), StringComparison.Ordinal);

        bench.Engine.Write(StackBench.Service, $"login with {bench.Files.Credential.Password}", ContainerLogStream.StandardError);
        var result = await bench.CheckAsync("secrets.logs");
        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("the password of", result.Evidence[0], StringComparison.Ordinal);
    }
}
