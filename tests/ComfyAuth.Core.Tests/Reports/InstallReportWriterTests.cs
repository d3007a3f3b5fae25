using System.Text.Json;
using ComfyAuth.Installation;
using ComfyAuth.Reports;

namespace ComfyAuth.Tests.Reports;

public sealed class InstallReportWriterTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 18, 15, 0, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_Markdown_tells_the_outcome_each_step_and_what_comes_next()
    {
        var report = Report(InstallOutcome.RolledBack) with { Kept = ["folder models: it is not empty"], NextSteps = ["Free some space."] };

        var text = (await WriteAsync(report)).Markdown;

        Assert.StartsWith("# Installation of comfyui-qwen\n\n**RolledBack.** A step failed, and what this run changed was taken back; what was kept on purpose is named below.\n\n|  |  |\n| --- | --- |\n| Stack | /srv/genai |\n", text, StringComparison.Ordinal);
        Assert.Contains("| Took | 12m |\n", text, StringComparison.Ordinal);
        Assert.Contains("\n## Steps\n\n| Step | Status | Time | Message | Error |\n| --- | --- | --- | --- | --- |\n| Prerequisites | Unchanged | 1.5 s | All is there. |  |\n| Container | Done, taken back | 1.5 s | It runs. |  |\n| Models | Failed | 1.5 s | The disk is full. | DiskFull |\n", text, StringComparison.Ordinal);
        Assert.Contains("\n## Changes\n\n### Container, taken back\n\n- comfyui-qwen: Start it\n\n## Evidence\n\n### Prerequisites\n\n- engine 28.1\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\n## Kept\n\n- folder models: it is not empty\n\n## Next steps\n\n- Free some space.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_not_made_is_not_told_as_made_and_an_empty_report_says_so()
    {
        var declined = (await WriteAsync(Report(InstallOutcome.Declined) with { Steps = [Step(InstallStepName.Container, StepStatus.Declined, "No.") with { Changes = ["a: b"] }] })).Markdown;
        var empty = (await WriteAsync(Report(InstallOutcome.Unchanged) with { Steps = [], IsResumed = true }, "empty")).Markdown;

        Assert.Contains("### Container, not made\n", declined, StringComparison.Ordinal);
        Assert.Contains("| Gone on with | a run that was interrupted |\n", empty, StringComparison.Ordinal);
        Assert.Contains("## Changes\n\nNone.\n\n## Evidence\n\nNone.\n\n## Kept\n\nNothing was left that was to be taken back.\n", empty, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_in_a_report_means_anything_to_Markdown_or_HTML()
    {
        const string hostile = "a | b\n# heading <script>alert(1)</script> [x](y) `c` *d*";
        var step = Step(InstallStepName.Models, StepStatus.Failed, hostile) with { Evidence = [hostile], Changes = [hostile] };
        var report = Report(InstallOutcome.Failed) with { Stack = hostile, Service = hostile, Steps = [step], Kept = [hostile], NextSteps = [hostile] };

        var text = (await WriteAsync(report)).Markdown;

        Assert.DoesNotContain("<script", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n# heading", text, StringComparison.Ordinal);
        Assert.Equal(5, text.Split('\n').Single(line => line.StartsWith("| Models", StringComparison.Ordinal)).Replace("\\|", "", StringComparison.Ordinal).Split('|')[1..^1].Length);
    }

    [Fact]
    public async Task The_JSON_is_the_report_and_names_its_files()
    {
        var report = Report(InstallOutcome.Installed);

        var written = await InstallReportWriter.WriteAsync(_folder.Path, Start, files => report with { Files = files }, Stop);
        var json = JsonSerializer.Deserialize(File.ReadAllText(written.Files[0]), ReportJsonContext.Default.InstallReport)!;

        Assert.Equal((InstallOutcome.Installed, 3, TimeSpan.FromMinutes(12.5)), (json.Outcome, json.Steps.Count, json.Duration));
        Assert.Equal(report.Steps[2].Message, json.Steps[2].Message);
        Assert.Equal(written.Files, json.Files);
        Assert.Equal(Paths(""), json.Files);
    }

    [Fact]
    public async Task Runs_of_the_same_second_have_reports_of_their_own_and_nothing_is_replaced()
    {
        File.WriteAllText(Paths("")[1], "mine");
        Directory.CreateDirectory(Paths("-3")[0]);
        if (!OperatingSystem.IsWindows())
            File.CreateSymbolicLink(Paths("-4")[0], "nowhere");

        File.WriteAllText(Paths("-6")[0] + ".tmp", "of one that was killed");

        var written = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => Task.Run(
            () => InstallReportWriter.WriteAsync(_folder.Path, Start, files => Report(InstallOutcome.Installed) with { Files = files, Service = $"number {number}" }, Stop))));

        Assert.Equal(32, written.SelectMany(report => report.Files).Distinct().Count());
        Assert.All(written, report => Assert.All(report.Files, file => Assert.Contains(report.Service, File.ReadAllText(file), StringComparison.Ordinal)));
        Assert.Equal("mine", File.ReadAllText(Paths("")[1]));
        Assert.Contains(Paths("-2")[0], written.Select(report => report.Files[0]));
        Assert.Equal([Paths("-6")[0] + ".tmp"], Directory.GetFiles(_folder.Path, "*.tmp"));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told()
    {
        _folder.Write("file", "");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => InstallReportWriter.WriteAsync(_folder.PathOf("file"), Start, files => Report(InstallOutcome.Installed) with { Files = files }, Stop));

        Assert.Equal("ReportNotWritten", error.Code);
    }

    /// <summary>Files are named by the local time at which the run began.</summary>
    private List<string> Paths(string number)
    {
        var name = _folder.PathOf($"installation-qwen-{Start.ToLocalTime():yyyyMMdd-HHmmss}{number}");
        return [name + ".json", name + ".md"];
    }

    private async Task<(string Json, string Markdown)> WriteAsync(InstallReport report, string folder = ".")
    {
        var written = await InstallReportWriter.WriteAsync(_folder.PathOf(folder), Start, files => report with { Files = files }, Stop);
        return (File.ReadAllText(written.Files[0]), File.ReadAllText(written.Files[1]));
    }

    private static InstallReport Report(InstallOutcome outcome) => new()
    {
        Stack = "/srv/genai",
        Service = "comfyui-qwen",
        StartedAt = Start,
        Duration = TimeSpan.FromMinutes(12.5),
        ModuleVersion = "1.2.3",
        Outcome = outcome,
        Steps =
        [
            Step(InstallStepName.Prerequisites, StepStatus.Unchanged, "All is there.") with { Evidence = ["engine 28.1"] },
            Step(InstallStepName.Container, StepStatus.Done, "It runs.") with { Changes = ["comfyui-qwen: Start it"], IsUndone = true },
            Step(InstallStepName.Models, StepStatus.Failed, "The disk is full.") with { ErrorCode = "DiskFull", Remedy = "Free some space." },
        ],
    };

    private static StepResult Step(InstallStepName name, StepStatus status, string message) =>
        new() { Stack = "/srv/genai", Step = name, Status = status, Message = message, StartedAt = Start, Duration = TimeSpan.FromSeconds(1.5) };
}
