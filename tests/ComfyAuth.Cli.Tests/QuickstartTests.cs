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
        Assert.Equal(1, CountBefore(result.Output, "COMFYUI_LOGIN_ENABLED", "2. The repair"));

        var stack = GenAIStack.Find(_folder.PathOf("sample/stack"));
        Assert.All(new TokenAuditor(new(), new(), _ => null).Audit(stack, cancellationToken: TestContext.Current.CancellationToken), seen => Assert.Equal(TokenState.Match, seen.State));
        Assert.All(EnvironmentValidator.Validate(stack), seen => Assert.True(seen.IsValid));
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

    private static int CountBefore(string text, string part, string end) =>
        text[..text.IndexOf(end, StringComparison.Ordinal)].Split(part).Length - 1;

    private Task<CliResult> RunAsync(params string[] options) => CliProcess.RunAsync(_folder.Path, ["quickstart", .. options]);

    [GeneratedRegex(@"The report of the audit: (.*\S)")]
    private static partial Regex ReportPath();

    [GeneratedRegex(@"The sample stack: +(.*\S)")]
    private static partial Regex StackPath();
}
