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
    public async Task It_finds_the_five_faults_that_it_planted_and_leaves_none()
    {
        var result = await RunAsync("--path", "sample");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        var report = _folder.Read("sample/report.md");
        var faults = report.Split('\n')
            .Select(line => line.Split(" | "))
            .Where(cells => cells is [_, "Hash" or "Password" or "UserName" or "Source", not "Match", ..])
            .Select(cells => $"{cells[0].TrimStart('|', ' ').Split('/')[^1]} {cells[2]}");
        Assert.Equal([".env#COMFYUI_BEARER_TOKEN Truncated", ".env#COMFYUI_PASSWORD OtherPassword", "PASSWORD CarriageReturn", "qwen-api-user.token Stale"], faults.Order(StringComparer.Ordinal));
        Assert.Contains("As Compose v2 reads it: the run of", report, StringComparison.Ordinal);
        Assert.Equal(1, CountBefore(result.Output, "COMFYUI_LOGIN_ENABLED", "3. The repair"));

        var stack = GenAIStack.Find(_folder.PathOf("sample/stack"));
        Assert.All(new TokenAuditor(new(), new(), _ => null).Audit(stack, cancellationToken: TestContext.Current.CancellationToken), seen => Assert.Equal(TokenState.Match, seen.State));
        Assert.All(EnvironmentValidator.Validate(stack), seen => Assert.True(seen.IsValid));
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
        Assert.Equal(["report.md", "stack"], Directory.EnumerateFileSystemEntries(_folder.PathOf("sample")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_removes_the_stack_and_keeps_the_report()
    {
        var result = await RunAsync();
        var report = ReportPath().Match(result.Output).Groups[1].Value;

        Assert.Equal(0, result.ExitCode);
        Assert.True(File.Exists(report), result.Output);
        Assert.Equal([report], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(report)!));
        Assert.Contains("is removed", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        Directory.Delete(Path.GetDirectoryName(report)!, recursive: true);
    }

    [Fact]
    public async Task It_shows_the_containers_of_the_original_and_why_one_is_unhealthy()
    {
        var result = await RunAsync("--path", "sample");
        var output = result.Output;
        var containers = output[..output.IndexOf("2. The audit", StringComparison.Ordinal)];
        var rows = containers.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(cells => cells.Contains("15m"));

        Assert.Equal(
            ["comfyui-qwen HealthcheckCannotPass Unhealthy 15m", "flux-1-dev Ready Healthy 15m", "sd35 Ready Healthy 15m", "orchestrator Ready Healthy 15m"],
            rows.Select(cells => string.Join(' ', cells.Take(4))));
        Assert.Equal(["8188->8188", "8189->8188", "8190->8000", "8090->8000"], rows.Select(cells => cells[^1]));

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

        // Stopped as soon as the socket is there.
        using var stopped = CliProcess.StartWithTemporaryFolder(temporary, _folder.Path, "quickstart");
        await WaitForAsync(() => Directory.EnumerateFiles(temporary, "*.sock", SearchOption.AllDirectories).Any());
        await stopped.InterruptAsync();
        Assert.Equal(130, (await stopped.EndAsync()).ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
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
        Assert.All(secrets, secret => Assert.DoesNotContain(secret.Length == 60 ? secret[7..20] : secret, result.Output + _folder.Read("sample/report.md"), StringComparison.Ordinal));
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!condition())
            await pause.WaitForNextTickAsync(deadline.Token);
    }

    private static int CountBefore(string text, string part, string end) =>
        text[..text.IndexOf(end, StringComparison.Ordinal)].Split(part).Length - 1;

    private Task<CliResult> RunAsync(params string[] options) => CliProcess.RunAsync(_folder.Path, ["quickstart", .. options]);

    [GeneratedRegex(@"The report of the audit: (.*\S)")]
    private static partial Regex ReportPath();

    [GeneratedRegex(@"The sample stack: +(.*\S)")]
    private static partial Regex StackPath();
}
