using System.Text.Json;
using ComfyAuth.Reports;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Reports;

public sealed class TokenReportTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2025, 10, 30, 22, 0, 0, TimeSpan.Zero);

    private readonly SampleStack _stack = new();

    public void Dispose() => _stack.Dispose();

    [Fact]
    public void A_sound_stack_needs_nothing() => Assert.Empty(Report().Recommendations);

    [Fact]
    public void One_thing_to_do_is_said_once_with_every_place_and_the_most_urgent_first()
    {
        var other = new SampleCredential();
        _stack.Write(SampleStack.RootToken, other.Text);
        _stack.Write(SampleStack.ServiceToken, other.Text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_stack.PathOf(SampleStack.NotebooksEnv), UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var recommendations = Report().Recommendations;

        Assert.Equal(recommendations.OrderBy(each => each.Urgency), recommendations);
        Assert.Equal([$"{_stack.Root}: {SampleStack.RootToken}", $"{_stack.Root}: {SampleStack.ServiceToken}"], recommendations[0].Locations);
        Assert.Equal(Urgency.High, recommendations[0].Urgency);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(Urgency.Medium, recommendations[^1].Urgency);
    }

    [Fact]
    public async Task Json_gives_the_report_back()
    {
        _stack.Write(SampleStack.RootToken, "changeme");
        var report = Report();
        var path = _stack.PathOf("reports/deep/audit.JSON");

        await TokenReportWriter.WriteAsync(report, path, TestContext.Current.CancellationToken);

        var read = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), ReportJsonContext.Default.TokenReport)!;
        Assert.Equal((1, Now), (read.Version, read.CreatedAt));
        Assert.Equal(report.Observations, read.Observations);
        Assert.Equal(report.Recommendations.Select(each => each.Text), read.Recommendations.Select(each => each.Text));
    }

    [Fact]
    public async Task Markdown_has_a_row_for_each_place_and_what_to_do()
    {
        _stack.Write(SampleStack.RootToken, "changeme");
        var report = Report();

        var text = await WrittenAsync(report, "audit.md");

        Assert.StartsWith("# Credential audit\n\n2025-10-30 22:00:00 +00:00\n", text, StringComparison.Ordinal);
        Assert.Equal(report.Observations.Count, text.Split('\n').Count(line => line.StartsWith("| ", StringComparison.Ordinal)) - 2);
        Assert.Contains($"| {SampleStack.RootToken} | Hash | Malformed |", text, StringComparison.Ordinal);
        Assert.Contains($"- **High**: Synchronise.\n  - {_stack.Root}: {SampleStack.RootToken}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bar_or_a_line_break_in_a_text_does_not_break_a_row()
    {
        var seen = Report().Observations[0] with { Evidence = "one | two\r\nthree", Location = "a|b" };

        var text = await WrittenAsync(TokenReport.Of([seen], Now), "audit.md");

        Assert.Contains("| a\\|b |", text, StringComparison.Ordinal);
        Assert.Contains("| one \\| two three |\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("audit.md")]
    [InlineData("audit.json")]
    public async Task No_report_holds_a_secret(string name)
    {
        _stack.Replace(SampleStack.RootEnv, $"'{_stack.Credential.Text}'", _stack.Credential.Text);
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "another-password");

        var text = await WrittenAsync(Report(), name);

        Assert.All(["another-password", _stack.Credential.Password, _stack.Credential.Text[..12], _stack.Credential.Text[12..24]], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("audit.txt")]
    [InlineData("audit")]
    [InlineData("md")]
    public async Task Another_extension_is_refused_and_nothing_written(string name)
    {
        var before = _stack.Snapshot();

        Assert.Equal("ReportFormatUnknown", (await Assert.ThrowsAsync<ComfyAuthException>(() => WrittenAsync(Report(), name))).Code);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData($"{SampleStack.RootEnv}/audit.md", "a file where a folder belongs")]
    [InlineData(".secrets/folder.md", "a folder where the report belongs")]
    public async Task A_report_that_cannot_be_written_leaves_nothing(string path, string trouble)
    {
        Directory.CreateDirectory(_stack.PathOf(".secrets/folder.md"));
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => WrittenAsync(Report(), path));

        Assert.Equal((trouble, "ReportNotWritten"), (trouble, error.Code));
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("audit.md", "")]
    [InlineData("audit.md", "# Credential auditing\n")]
    [InlineData("audit.md", "# Notes of mine\n# Credential audit\n")]
    [InlineData("audit.json", "")]
    [InlineData("audit.json", "null")]
    [InlineData("audit.json", "[]")]
    [InlineData("audit.json", "# Credential audit\n")]
    [InlineData("audit.json", "{\"version\": \"1.0\", \"created_at\": \"2025-10-30T22:00:00Z\", \"raw_token\": \"p\", \"bcrypt_hash\": \"h\"}")]
    [InlineData("package.json", "{\"version\": 1}")]
    public async Task A_file_that_is_no_report_is_not_overwritten(string name, string text)
    {
        var report = Report();
        _stack.Write(name, text);
        var before = _stack.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => WrittenAsync(report, name));

        Assert.Equal(("ReportWouldOverwrite", "Choose another name."), (error.Code, error.Remedy));
        Assert.Equal("ReportWouldOverwrite", (await Assert.ThrowsAsync<ComfyAuthException>(() => TokenReportWriter.EnsureReplaceableAsync(_stack.PathOf(name), TestContext.Current.CancellationToken))).Code);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("audit.md")]
    [InlineData("audit.json")]
    public async Task A_report_replaces_an_earlier_one(string name)
    {
        _stack.Write(SampleStack.RootToken, "changeme");
        var first = await WrittenAsync(Report(), name);
        _stack.Write(SampleStack.RootToken, _stack.Credential.Text);

        Assert.NotEqual(first, await WrittenAsync(Report(), name));
    }

    [Fact]
    public async Task A_report_of_a_release_that_knew_files_only_is_still_one()
    {
        var text = await WrittenAsync(Report(), "audit.json");
        _stack.Write("audit.json", string.Join('\n', text.Split('\n').Where(line => !line.Contains("\"layer\"", StringComparison.Ordinal))));
        Assert.DoesNotContain("\"layer\"", _stack.Read("audit.json"), StringComparison.Ordinal);

        Assert.True(await TokenReportWriter.EnsureReplaceableAsync(_stack.PathOf("audit.json"), TestContext.Current.CancellationToken));
        Assert.All(JsonSerializer.Deserialize(_stack.Read("audit.json"), ReportJsonContext.Default.TokenReport)!.Observations, seen => Assert.Equal(TokenLayer.File, seen.Layer));
    }

    [Theory]
    [InlineData("target.json", true)]
    [InlineData("target.json", false)]
    public async Task A_link_is_neither_followed_nor_replaced(string target, bool isThere)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making a link needs a right of its own on Windows.");
        if (isThere)
            await WrittenAsync(Report(), target);
        File.CreateSymbolicLink(_stack.PathOf("audit.json"), _stack.PathOf(target));

        Assert.Equal("ReportWouldOverwrite", (await Assert.ThrowsAsync<ComfyAuthException>(() => WrittenAsync(Report(), "audit.json"))).Code);
        Assert.Equal((_stack.PathOf(target), isThere), (new FileInfo(_stack.PathOf("audit.json")).LinkTarget, File.Exists(_stack.PathOf(target))));
    }

    [Fact]
    public async Task A_cancelled_report_leaves_the_old_one_whole()
    {
        _stack.Write("audit.md", "# Credential audit\nold");
        var before = _stack.Snapshot();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TokenReportWriter.WriteAsync(Report(), _stack.PathOf("audit.md"), new CancellationToken(canceled: true)));

        Assert.Equal(before, _stack.Snapshot());
    }

    private TokenReport Report() => TokenReport.Of(_stack.Audit(), Now);

    private async Task<string> WrittenAsync(TokenReport report, string path)
    {
        await TokenReportWriter.WriteAsync(report, _stack.PathOf(path), TestContext.Current.CancellationToken);
        return _stack.Read(path);
    }
}
