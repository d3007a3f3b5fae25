using System.Globalization;
using System.Text;
using System.Text.Json;
using ComfyAuth.Installation;

namespace ComfyAuth.Reports;

/// <summary>Writes the report of an installation, as JSON for programs and as Markdown for people.</summary>
public static class InstallReportWriter
{
    private const string Title = "# Installation of ";

    /// <summary>
    /// Writes a report to files that are new: <c>installation-qwen-20261122-181500.json</c> and <c>.md</c>, by the local time at which the
    /// run began. Where that name is taken a number follows, <c>-2</c> and up. Each file appears whole or not at all.
    /// </summary>
    /// <param name="folder">The folder; it is made where there is none.</param>
    /// <param name="startedAt">When the run began.</param>
    /// <param name="reportIn">Gives the report, which names its files.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The report that was written.</returns>
    /// <exception cref="ComfyAuthException"><c>ReportNotWritten</c>.</exception>
    public static async Task<InstallReport> WriteAsync(string folder, DateTimeOffset startedAt, Func<IReadOnlyList<string>, InstallReport> reportIn, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(reportIn);
        var name = Path.GetFullPath(Path.Combine(folder, $"installation-qwen-{startedAt.ToLocalTime().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}"));
        for (var number = 1; ; number++)
        {
            var file = number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
            var (json, markdown) = (file + ".json", file + ".md");
            if (Path.Exists(markdown))
                continue;

            // Whoever gets the JSON file has the name.
            var report = reportIn(new[] { json, markdown });
            if (!await ReportFile.TryCreateAsync(json, JsonSerializer.Serialize(report, ReportJsonContext.Default.InstallReport) + "\n", stop).ConfigureAwait(false))
                continue;
            await ReportFile.TryCreateAsync(markdown, Markdown(report), stop).ConfigureAwait(false);
            return report;
        }
    }

    private static string Markdown(InstallReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Title}{MarkdownReport.Escape(report.Service)}\n\n**{report.Outcome}.** {Sentence(report)}\n\n");
        text.Append("|  |  |\n| --- | --- |\n");
        Row("Stack", report.Stack);
        Row("Begun", ReportWords.Moment(report.StartedAt));
        Row("Took", ReportWords.Time(report.Duration));
        Row("Module", report.ModuleVersion);
        if (report.IsResumed)
            Row("Gone on with", "a run that was interrupted");

        text.Append("\n## Steps\n\n| Step | Status | Time | Message | Error |\n| --- | --- | --- | --- | --- |\n");
        foreach (var step in report.Steps)
            Row(step.Step.ToString(), step.IsUndone ? $"{step.Status}, taken back" : step.Status.ToString(), ReportWords.Time(step.Duration), step.Message, step.ErrorCode);

        Section("Changes", report.Steps.Select(step => (Heading(step), step.Changes)), "None.");
        Section("Evidence", report.Steps.Select(step => (step.Step.ToString(), step.Evidence)), "None.");
        Section("Kept", [("", report.Kept)], "Nothing was left that was to be taken back.");
        Section("Next steps", [("", report.NextSteps)], "None: there is nothing to do.");
        return text.ToString();

        void Row(params string[] cells) => text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells.Select(MarkdownReport.Escape))} |\n");

        void Section(string title, IEnumerable<(string Heading, IReadOnlyList<string> Lines)> parts, string none)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n");
            var isEmpty = true;
            foreach (var (heading, lines) in parts.Where(part => part.Lines.Count > 0))
            {
                isEmpty = false;
                text.Append(heading.Length > 0 ? $"\n### {MarkdownReport.Escape(heading)}\n\n" : "\n");
                foreach (var line in ReportText.Lines(lines))
                    text.Append(CultureInfo.InvariantCulture, $"- {MarkdownReport.Escape(line)}\n");
            }

            if (isEmpty)
                text.Append(CultureInfo.InvariantCulture, $"\n{none}\n");
        }
    }

    private static string Heading(StepResult step) => step switch
    {
        { IsUndone: true } => $"{step.Step}, taken back",
        { Status: StepStatus.Declined or StepStatus.Planned } => $"{step.Step}, not made",
        _ => step.Step.ToString(),
    };

    private static string Sentence(InstallReport report) => report.Outcome switch
    {
        InstallOutcome.Unchanged => "Everything was as it should be before; nothing was changed.",
        InstallOutcome.Installed => "What was missing is there now, and proven.",
        InstallOutcome.Planned => "Nothing was changed; this is what would be done.",
        InstallOutcome.Declined => "A change that it needs was declined; what was done before stays.",
        InstallOutcome.RolledBack when report.Kept.Count == 0 => "A step failed, and everything that this run changed was taken back.",
        InstallOutcome.RolledBack => "A step failed, and what this run changed was taken back; what was kept on purpose is named below.",
        InstallOutcome.RollbackIncomplete => "A step failed, and not everything that this run changed could be taken back.",
        _ => "A step failed; what was done before stays, as was asked for.",
    };
}
