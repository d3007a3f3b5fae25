using System.Text.Json.Nodes;
using ComfyAuth.Reports;
using ComfyAuth.Tests.Validation;

namespace ComfyAuth.Tests.Reports;

public sealed class ValidationReportReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Where in a report something is put that does not belong there.</summary>
    public static TheoryData<string, string> Damages => new()
    {
        { "stack", "null" },
        { "checks", "null" },
        { "checks", "[null]" },
        { "checks", "{}" },
        { "components", "[null]" },
        { "strengths", "[null]" },
        { "score", "101" },
        { "coverage", "-1" },
        { "score", "1e99" },
        { "verdict", "\"Splendid\"" },
        { "verdict", "77" },
        { "startedAt", "\"yesterday\"" },
        { "duration", "\"99999999.99:99:99\"" },
        { "baseline", "{}" },
        { "recommendations", "[{\"urgency\": 9, \"text\": \"x\", \"locations\": []}]" },
        { "version", "0" },
        { "version", "\"1\"" },
        { "version", "null" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_report_is_refused(string property, string value)
    {
        var report = JsonNode.Parse(ValidationReportWriter.Render(SampleReport.Of(), ".json", new()))!.AsObject();
        report[property] = JsonNode.Parse(value);

        Assert.Equal("ReportInvalid", await CodeAsync(report.ToJsonString()));
    }

    [Theory]
    [InlineData("stack")]
    [InlineData("checks")]
    [InlineData("verdict")]
    [InlineData("metrics")]
    public async Task A_report_that_lacks_a_part_is_refused(string property)
    {
        var report = JsonNode.Parse(ValidationReportWriter.Render(SampleReport.Of(), ".json", new()))!.AsObject();
        report.Remove(property);

        Assert.Equal("ReportInvalid", await CodeAsync(report.ToJsonString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("{\"version\": 1}")]
    [InlineData("# Validation report\n")]
    [InlineData("\0\0\0")]
    [InlineData("{\"version\": 1, \"createdAt\": \"2025-10-30T22:00:00Z\", \"observations\": [], \"recommendations\": []}")]
    public async Task What_is_no_report_is_refused(string text) => Assert.Equal("ReportInvalid", await CodeAsync(text));

    [Fact]
    public async Task A_report_cut_short_anywhere_is_refused()
    {
        var text = ValidationReportWriter.Render(Sample.Report(), ".json", new()).TrimEnd();

        for (var length = 0; length < text.Length; length += 37)
            Assert.Equal("ReportInvalid", await CodeAsync(text[..length]));
    }

    [Fact]
    public async Task Very_deep_nesting_is_refused() => Assert.Equal("ReportInvalid", await CodeAsync($"{{\"version\": 1, \"x\": {new string('[', 100_000)}"));

    [Fact]
    public async Task A_newer_report_is_told_from_a_damaged_one()
    {
        var error = await ErrorAsync("{\"version\": 2, \"checks\": 7}");

        Assert.Equal("ReportTooNew", error.Code);
        Assert.Contains("has version 2; this module reads up to 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_or_no_file_cannot_be_read()
    {
        foreach (var path in new[] { _folder.PathOf("none.json"), _folder.Path })
            Assert.Equal("ReportUnreadable", (await Assert.ThrowsAsync<ComfyAuthException>(() => ValidationReportReader.ReadAsync(path, TestContext.Current.CancellationToken))).Code);
    }

    [Fact]
    public async Task A_device_is_not_read_from()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix only.");

        Assert.Equal("ReportInvalid", (await Assert.ThrowsAsync<ComfyAuthException>(() => ValidationReportReader.ReadAsync("/dev/zero", TestContext.Current.CancellationToken))).Code);
    }

    [Fact]
    public async Task A_check_that_stands_twice_in_a_file_does_no_harm()
    {
        var report = JsonNode.Parse(ValidationReportWriter.Render(SampleReport.Of(), ".json", new()))!.AsObject();
        var checks = report["checks"]!.AsArray();
        checks.Add(checks[0]!.DeepClone());
        var read = await ValidationReportReader.ReadAsync(_folder.Write("twice.json", report.ToJsonString()), TestContext.Current.CancellationToken);

        Assert.Empty(read.ComparedWith(read).Baseline!.NewFailures);
        Assert.NotEmpty(ValidationReportWriter.Render(read, ".html", new()));
    }

    private async Task<string> CodeAsync(string text) => (await ErrorAsync(text)).Code;

    private async Task<ComfyAuthException> ErrorAsync(string text) =>
        await Assert.ThrowsAsync<ComfyAuthException>(() => ValidationReportReader.ReadAsync(_folder.Write("report.json", text), TestContext.Current.CancellationToken));
}
