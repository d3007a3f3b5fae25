using ComfyAuth.Reports;
using ComfyAuth.Tests;
using ComfyAuth.Validation;

namespace ComfyAuth.Cli.Tests;

public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_report_is_rendered_in_every_form_that_is_asked_for()
    {
        await WriteAsync("report.json", CheckStatus.Failed);

        var result = await CliProcess.RunAsync(_folder.Path, "report", "report.json", "--out", "a/report.html", "report.md", "--out", "report.xml");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Equal(["report.html", "report.md", "report.xml"], result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Path.GetFileName(line.Trim())));
        Assert.Contains("token.files", _folder.Read("a/report.html"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CheckStatus.Passed, CheckStatus.Failed, 1, "Fails now: token.files")]
    [InlineData(CheckStatus.Failed, CheckStatus.Failed, 0, "Still fails: token.files")]
    [InlineData(CheckStatus.Failed, CheckStatus.Passed, 0, "Fixed: token.files")]
    [InlineData(CheckStatus.Failed, CheckStatus.Error, 0, "No longer checked: token.files")]
    public async Task With_a_baseline_the_code_says_whether_something_new_fails(CheckStatus before, CheckStatus now, int code, string told)
    {
        await WriteAsync("before.json", before);
        await WriteAsync("now.json", now);

        var result = await CliProcess.RunAsync(_folder.Path, "report", "now.json", "--baseline", "before.json", "--out", "report.md");

        Assert.Equal((code, ""), (result.ExitCode, result.Errors));
        Assert.Contains(told, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "report.json")]
    [InlineData(2, "report.json", "--out", "report.pdf")]
    [InlineData(2, "--out", "report.md")]
    [InlineData(3, "nowhere.json", "--out", "report.md")]
    [InlineData(3, "foreign.md", "--out", "report.md")]
    [InlineData(3, "report.json", "--out", "foreign.md")]
    [InlineData(3, "report.json", "--out", "report.md", "--baseline", "foreign.md")]
    public async Task What_cannot_be_done_is_told_and_nothing_overwritten(int code, params string[] arguments)
    {
        await WriteAsync("report.json", CheckStatus.Passed);
        _folder.Write("foreign.md", "# Mine\n");

        var result = await CliProcess.RunAsync(_folder.Path, ["report", .. arguments]);

        Assert.Equal((code, "", "# Mine\n"), (result.ExitCode, result.Output, _folder.Read("foreign.md")));
        Assert.NotEmpty(result.Errors);
        Assert.Equal(["foreign.md", "report.json"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private async Task WriteAsync(string name, CheckStatus status)
    {
        var result = new CheckResult { Stack = "/stack", Id = "token.files", Category = "token", Title = "Files agree", Status = status, Message = "Found." };
        await ValidationReportWriter.WriteAsync(ValidationReport.Of("/stack", [result], DateTimeOffset.UnixEpoch, TimeSpan.Zero), _folder.PathOf(name), new(), TestContext.Current.CancellationToken);
    }
}
