using System.Text.RegularExpressions;
using ComfyAuth.Environments;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Tests;

public sealed partial class QuickstartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_finds_exactly_the_faults_that_it_planted_and_after_the_repair_none()
    {
        var result = await RunAsync("--path", "sample");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Equal(
            [
                "failed auth.web.login comfyui-qwen", "failed compose.lint comfyui-qwen", "failed container.condition comfyui-qwen",
                "failed container.health comfyui-qwen", "failed env.bcrypt comfyui-qwen", "failed env.quoting comfyui-qwen", "failed env.required comfyui-qwen",
                "failed notebook.encoding", "failed secrets.permissions", "failed token.files comfyui-qwen", "failed token.running comfyui-qwen",
            ],
            Findings(Part(result.Output, "2. The checks", "3. The repair")).Where(finding => !OperatingSystem.IsWindows() || finding != "failed secrets.permissions").Order(StringComparer.Ordinal));
        var after = Part(result.Output, "4. The proof", "The reports");
        Assert.Empty(Findings(after));
        Assert.Contains("0 warnings, 0 failed, 0 not determined", after, StringComparison.Ordinal);
        Assert.Contains("100 after", after, StringComparison.Ordinal);

        var stack = GenAIStack.Find(_folder.PathOf("sample/stack"));
        Assert.All(new TokenAuditor(new(), new(), _ => null).Audit(stack, cancellationToken: TestContext.Current.CancellationToken), seen => Assert.Equal(TokenState.Match, seen.State));
        Assert.All(EnvironmentValidator.Validate(stack), seen => Assert.True(seen.IsValid));
    }

    [Fact]
    public async Task It_shows_why_the_token_differs_and_what_the_stacks_own_documents_say_of_a_fault()
    {
        var checks = string.Join(' ', Part((await RunAsync("--path", "sample")).Output, "2. The checks", "3. The repair").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        Assert.Contains("Stale: A well-formed hash, but not the source's.", checks, StringComparison.Ordinal);
        Assert.Contains("Truncated: As Compose v2 reads it: the run of", checks, StringComparison.Ordinal);
        Assert.Contains("CarriageReturn: A carriage return is part of the value.", checks, StringComparison.Ordinal);
        Assert.Contains("OtherPassword: The source's hash is not of this password", checks, StringComparison.Ordinal);
        Assert.Contains("TROUBLESHOOTING.md:11 Troubleshooting > A notebook does not open", checks, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Served_the_sample_can_be_checked_mended_and_undone_from_outside()
    {
        using var served = CliProcess.StartTalking(_folder.Path, "quickstart", "--path", "sample", "--serve");
        string? engine = null;
        while (engine is null && await served.ReadLineAsync() is { } line)
            engine = EngineAddress().Match(line) is { Success: true } match ? match.Groups[1].Value : null;
        var stack = _folder.PathOf("sample/stack");
        Task<CliResult> TestAsync(params string[] options) => CliProcess.RunAsync(stack, ["test", "--docker-host", engine!, "--exclude", "engine.version", "--exclude", "engine.resources", "--exclude", "compose.command", .. options]);

        var fine = await TestAsync("--report", "../now.json", "--report", "../now.xml", "--json");
        File.WriteAllText(Path.Combine(stack, ".secrets/qwen-api-user.token"), "nonsense");
        var broken = await TestAsync("--baseline", "../now.json", "--report", "../later.json", "--category", "token", "--quiet");
        var mended = await TestAsync("--fix", "--category", "token", "--json");
        var undone = await CliProcess.RunAsync(stack, "undo-fix");
        await served.InterruptAsync();
        var end = await served.EndAsync();

        Assert.True(fine.ExitCode == 0, fine.Output + fine.Errors);
        Assert.InRange(fine.Json().GetArrayLength(), 90, 300);
        Assert.Contains("<testsuites", _folder.Read("sample/now.xml"), StringComparison.Ordinal);
        Assert.Equal((1, ""), (broken.ExitCode, broken.Output));
        Assert.Contains("token.files", System.Text.Json.JsonDocument.Parse(_folder.Read("sample/later.json")).RootElement.GetProperty("baseline").GetProperty("newFailures").ToString(), StringComparison.Ordinal);
        Assert.Equal(0, mended.ExitCode);
        Assert.Contains(mended.Json().EnumerateArray(), check => check.GetProperty("id").GetString() == "token.files" && check.GetProperty("fixed").GetBoolean());
        Assert.Equal(0, undone.ExitCode);
        Assert.Equal("nonsense", File.ReadAllText(Path.Combine(stack, ".secrets/qwen-api-user.token")));
        Assert.Equal(0, end.ExitCode);
    }

    [Fact]
    public async Task It_names_the_temporary_folder_that_cannot_be_used()
    {
        using var process = CliProcess.StartWithTemporaryFolder(_folder.PathOf("missing"), _folder.Path, "quickstart");
        var result = await process.EndAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Contains($"No folder can be made in '{_folder.PathOf("missing")}", result.Errors, StringComparison.Ordinal);
        Assert.Contains("give --path", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_runs_at_once_one_gets_the_folder()
    {
        var results = await Task.WhenAll(RunAsync("--path", "sample"), RunAsync("--path", "sample"));

        Assert.Equal([0, 3], results.Select(result => result.ExitCode).Order());
        var loser = results.Single(result => result.ExitCode == 3);
        Assert.Contains($"'{_folder.PathOf("sample")}' is not an empty folder.", loser.Errors, StringComparison.Ordinal);
        Assert.Equal(["after.html", "before.html", "stack"], Directory.EnumerateFileSystemEntries(_folder.PathOf("sample")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_removes_the_stack_and_keeps_the_report()
    {
        var result = await RunAsync();
        var report = ReportPath().Match(result.Output).Groups[1].Value;

        Assert.Equal(0, result.ExitCode);
        Assert.True(File.Exists(report), result.Output);
        Assert.Equal(["after.html", "before.html"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(report)!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("is removed", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        Directory.Delete(Path.GetDirectoryName(report)!, recursive: true);
    }

    [Fact]
    public async Task It_shows_the_containers_of_the_original_and_why_one_is_unhealthy()
    {
        var result = await RunAsync("--path", "sample");
        var output = result.Output;
        var containers = output[..output.IndexOf("2. The checks", StringComparison.Ordinal)];
        var rows = containers.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(cells => cells.Contains("15m"));

        Assert.Equal(
            ["comfyui-qwen HealthcheckCannotPass Unhealthy 15m", "flux-1-dev Ready Healthy 15m", "sd35 Ready Healthy 15m", "orchestrator Ready Healthy 15m"],
            rows.Select(cells => string.Join(' ', cells.Take(4))));
        Assert.Equal(["->8188", "->8188", "->8000", "->8000"], rows.Select(cells => cells[^1].TrimStart([.. "0123456789"])));

        // The readings, what they are concluded from, and what to do.
        var text = string.Join(' ', containers.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("The service answers, but its healthcheck cannot pass", text, StringComparison.Ordinal);
        Assert.Contains("401 without a token, 200 with ours", text, StringComparison.Ordinal);
        Assert.Contains("healthcheck: curl -f http://localhost:8188/", text, StringComparison.Ordinal);
        Assert.Contains("The requested URL returned error: 401", text, StringComparison.Ordinal);
        Assert.Contains("Let the healthcheck ask /login", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_leaves_no_socket_whether_it_ends_fails_or_is_stopped()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals, and a folder for temporary files that a variable names");
        var temporary = Directory.CreateDirectory(_folder.PathOf("temporary")).FullName;

        // Where the path is too long for a socket, there is none.
        var deep = Directory.CreateDirectory(_folder.PathOf(new string('d', 100))).FullName;
        using (var whole = CliProcess.StartWithTemporaryFolder(deep, _folder.Path, "quickstart", "--path", "sample"))
            Assert.Equal(0, (await whole.EndAsync()).ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(deep));

        using (var refused = CliProcess.StartWithTemporaryFolder(temporary, _folder.Path, "quickstart", "--path", "sample"))
            Assert.Equal(3, (await refused.EndAsync()).ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));

        // Stopped as soon as the socket is there, be it at work or serving already.
        using (var served = CliProcess.StartWithTemporaryFolder(temporary, _folder.Path, "quickstart", "--path", "served", "--serve"))
        {
            await WaitForAsync(() => Directory.EnumerateFiles(temporary, "*.sock", SearchOption.AllDirectories).Any());
            await served.InterruptAsync();
            Assert.True((await served.EndAsync()).ExitCode is 130 or 0);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));

        // Stopped at work, unless it was done before it heard of that; then its reports stay.
        using var stopped = CliProcess.StartWithTemporaryFolder(temporary, _folder.Path, "quickstart");
        await WaitForAsync(() => Directory.EnumerateFileSystemEntries(temporary).Any());
        await stopped.InterruptAsync();
        var code = (await stopped.EndAsync()).ExitCode;
        Assert.True(code is 130 or 0);
        Assert.Equal(code == 130 ? [] : ["after.html", "before.html"], Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Only_the_quickstart_needs_ASP_NET_Core()
    {
        // Without the framework, the first look for one of its types would end the program.
        var configuration = _folder.Write("plain.json", """{ "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" }, "rollForward": "Major", "configProperties": { "System.Globalization.Invariant": true } } }""");
        await RunAsync("--path", "sample");
        var stack = _folder.PathOf("sample/stack");

        Assert.Equal(0, (await CliProcess.RunWithAsync(configuration, stack, "sync-token", "--validate")).ExitCode);
        Assert.Equal(0, (await CliProcess.RunWithAsync(configuration, stack, "restore-env", "--validate")).ExitCode);
        Assert.Equal(3, (await CliProcess.RunWithAsync(configuration, stack, "containers", "--docker-host", "tcp://127.0.0.1:1")).ExitCode);
        Assert.Contains("AspNetCore", (await CliProcess.RunWithAsync(configuration, stack, "quickstart")).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_keeps_the_stack_when_asked()
    {
        var result = await RunAsync("--keep");
        var root = StackPath().Match(result.Output).Groups[1].Value;

        Assert.Equal(0, result.ExitCode);
        var proof = await CliProcess.RunAsync(root, "sync-token", "--validate");
        Assert.True(proof.ExitCode == 0, proof.Output + proof.Errors);
        Directory.Delete(Path.GetDirectoryName(root)!, recursive: true);
    }

    [Fact]
    public async Task It_uses_an_empty_folder_only()
    {
        _folder.Write("used/mine.txt", "mine");
        Directory.CreateDirectory(_folder.PathOf("empty"));

        var refused = await RunAsync("--path", "used");

        Assert.Equal((3, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("is not an empty folder", refused.Errors, StringComparison.Ordinal);
        Assert.Equal([_folder.PathOf("used/mine.txt")], Directory.EnumerateFileSystemEntries(_folder.PathOf("used")));
        Assert.Equal(3, (await RunAsync("--path", "used/mine.txt")).ExitCode);
        Assert.Equal(0, (await RunAsync("--path", "empty")).ExitCode);
    }

    [Fact]
    public async Task It_reads_well_in_eighty_columns_and_shows_no_secret()
    {
        var result = await RunAsync("--path", "sample");
        string[] files = [".env", "docker-configurations/services/comfyui-qwen/.env"];
        var secrets = files
            .SelectMany(path => DotEnv.DotEnvDocument.Parse(File.ReadAllBytes(_folder.PathOf($"sample/stack/{path}"))).Entries)
            .Where(entry => Secrets.SecretRedactor.IsSecretName(entry.Name))
            .Select(entry => entry.RawValue!.Trim('\''))
            .ToList();

        // Paths that a person wants to copy are not broken.
        Assert.All(result.Output.Split('\n').Where(line => !line.Contains(_folder.Path, StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
        Assert.DoesNotContain("\u001b", result.Output, StringComparison.Ordinal);
        Assert.InRange(secrets.Count, 7, 20);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret.Length == 60 ? secret[7..20] : secret, result.Output + _folder.Read("sample/before.html") + _folder.Read("sample/after.html"), StringComparison.Ordinal));
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(5));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!condition())
            await pause.WaitForNextTickAsync(deadline.Token);
    }

    private static string Part(string text, string start, string end) =>
        text[text.IndexOf(start, StringComparison.Ordinal)..text.IndexOf(end, StringComparison.Ordinal)];

    /// <summary>How each finding ended, its check and its service.</summary>
    private static IEnumerable<string> Findings(string text) => Finding().Matches(text).Select(match => match.Groups[1].Value);

    private Task<CliResult> RunAsync(params string[] options) => CliProcess.RunAsync(_folder.Path, ["quickstart", .. options]);

    [GeneratedRegex(@"The reports: (.*\S)")]
    private static partial Regex ReportPath();

    [GeneratedRegex(@"The stack: +(.*\S)")]
    private static partial Regex StackPath();

    [GeneratedRegex(@"The engine: +(.*\S)")]
    private static partial Regex EngineAddress();

    [GeneratedRegex(@"^((?:failed|warning|error) [a-z.]+(?: [a-z0-9-]+)?):", RegexOptions.Multiline)]
    private static partial Regex Finding();
}
