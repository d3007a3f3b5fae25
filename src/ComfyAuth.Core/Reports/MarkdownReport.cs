using System.Globalization;
using System.Text;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>A validation report as Markdown (CommonMark with tables), in the order in which it is read: the verdict first, every check last.</summary>
internal sealed class MarkdownReport
{
    public const string Beginning = "# Validation report\n";

    private readonly StringBuilder _text = new(Beginning);

    private MarkdownReport()
    {
    }

    public static string Of(ValidationReport report)
    {
        var document = new MarkdownReport();
        document.AddSummary(report);
        document.AddBaseline(report);
        document.AddComponents(report);
        document.AddChecks("Containers", report.Checks.Where(result => result.Category is "container" or "gpu"));
        document.AddChecks("Connectivity", report.Checks.Where(result => result.Category is "service" or "api"));
        document.AddMetrics(report);
        document.AddList("Strengths", report.Strengths, "None yet.");
        document.AddList("Points of attention", report.Attention, "None.");
        document.AddRecommendations(report);
        document.AddAllChecks(report);
        return document._text.ToString();
    }

    private void AddSummary(ValidationReport report)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n**{report.Verdict}**, score {ReportWords.Number(report.Score)} of 100. {Escape(report.VerdictReason)}\n\n");
        Head("", "");
        Row("Stack", report.Stack);
        Row("Begun", ReportWords.Moment(report.StartedAt));
        Row("Took", ReportWords.Time(report.Duration));
        Row("Checks", $"{report.Passed} passed, {report.Warnings} with a warning, {report.Failed} failed, {report.Errors} not determined, {report.Skipped} skipped");
        Row("Coverage", ReportWords.Percent(report.Coverage));
        Row("Module", report.ModuleVersion);
        Row("Docker engine", report.EngineVersion ?? "not known");
        if (ReportWords.Revision(report) is { } revision)
            Row("Revision", revision);
    }

    private void AddBaseline(ValidationReport report)
    {
        if (report.Baseline is not { } baseline)
            return;

        Section("Since the earlier report");
        _text.Append(CultureInfo.InvariantCulture, $"Compared with {Escape(baseline.Stack)}, {ReportWords.Moment(baseline.StartedAt)}: {baseline.Verdict}, score {ReportWords.Number(baseline.Score)}");
        if (ReportWords.Change(report.Score, baseline.Score) is { Length: > 0 } change)
            _text.Append(CultureInfo.InvariantCulture, $" ({change} since)");
        _text.Append(".\n");
        foreach (var (title, names) in new[] { ("Fails now", baseline.NewFailures), ("Fixed", baseline.Fixed), ("Still fails", baseline.StillFailing), ("No longer checked", baseline.NoLongerChecked) })
            _text.Append(CultureInfo.InvariantCulture, $"\n- {title} ({names.Count}){(names.Count == 0 ? "" : $": {string.Join(", ", names.Select(Escape))}")}");
        _text.Append('\n');
    }

    private void AddComponents(ValidationReport report)
    {
        Section("Components");
        Head("Component", "Score", "Status", "Coverage", "Notes");
        foreach (var component in report.Components)
            Row(ReportWords.Of(component.Component), ReportWords.Number(component.Score), component.Status.ToString(), ReportWords.Percent(component.Coverage), component.Notes);
    }

    private void AddChecks(string title, IEnumerable<CheckResult> results)
    {
        Section(title);
        Head("Service", "Check", "Status", "Found");
        var any = false;
        foreach (var result in results)
        {
            any = true;
            Row(result.Service ?? "", result.Title, ReportWords.Of(result.Status), result.Message);
        }

        if (!any)
            Row("", "", "", "Nothing was checked.");
    }

    private void AddMetrics(ValidationReport report)
    {
        Section("Technical metrics");
        Head("Metric", "Value", "Threshold", "Fine", "Not fine", "Not known", "Threshold is");
        foreach (var metric in report.Metrics)
        {
            Row(
                metric.Name,
                ReportWords.Percent(metric.Value),
                ReportWords.Percent(metric.Threshold),
                ReportWords.Number(metric.Fine),
                ReportWords.Number(metric.Faulty),
                ReportWords.Number(metric.Unknown),
                ReportWords.Of(metric.IsMet));
        }

        Section("Conformity");
        Head("Area", "Conformity", "Notes");
        foreach (var entry in report.Conformity)
            Row(entry.Area.ToString(), ReportWords.Of(entry.Conformity), entry.Notes);
    }

    private void AddList(string title, IReadOnlyList<string> items, string none)
    {
        Section(title);
        if (items.Count == 0)
            _text.Append(CultureInfo.InvariantCulture, $"{none}\n");
        foreach (var item in items)
            _text.Append(CultureInfo.InvariantCulture, $"- {Escape(item)}\n");
    }

    private void AddRecommendations(ValidationReport report)
    {
        Section("Recommendations");
        if (report.Recommendations.Count == 0)
            _text.Append("None: there is nothing to do.\n");
        foreach (var urgency in report.Recommendations.GroupBy(each => each.Urgency))
        {
            _text.Append(CultureInfo.InvariantCulture, $"{(_text[^2] == '\n' ? "" : "\n")}### {urgency.Key} urgency\n\n");
            foreach (var recommendation in urgency)
            {
                _text.Append(CultureInfo.InvariantCulture, $"- {Escape(recommendation.Text)}\n");
                foreach (var location in recommendation.Locations)
                    _text.Append(CultureInfo.InvariantCulture, $"  - {Escape(location)}\n");
            }
        }
    }

    private void AddAllChecks(ValidationReport report)
    {
        Section("Every check");
        Head("Status", "Check", "Service", "Found", "To do", "Time");
        foreach (var result in report.Checks)
        {
            Row(
                result.Fixed ? $"{ReportWords.Of(result.Status)}, mended" : ReportWords.Of(result.Status),
                result.Id,
                result.Service ?? "",
                result.Message,
                result.Remedy,
                ReportWords.Time(result.Duration));
        }

        foreach (var result in report.Checks.Where(result => result.Evidence.Count > 0 && result.Status is CheckStatus.Failed or CheckStatus.Warning))
        {
            _text.Append(CultureInfo.InvariantCulture, $"\n### {Escape(CheckKey.Of(result).ToString())}\n\n");
            foreach (var line in ReportText.Lines(result.Evidence))
                _text.Append(CultureInfo.InvariantCulture, $"- {Escape(line)}\n");
            foreach (var passage in result.Guidance)
                _text.Append(CultureInfo.InvariantCulture, $"- See {Escape(passage)}\n");
        }
    }

    private void Section(string title) => _text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");

    private void Head(params string[] names) =>
        _text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", names)} |\n|{string.Concat(names.Select(_ => " --- |"))}\n");

    private void Row(params string[] cells) => _text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells.Select(Escape))} |\n");

    /// <summary>A text on one line that means nothing to Markdown (CommonMark 2.4, and the bar of tables) or to HTML.</summary>
    internal static string Escape(string text)
    {
        text = ReportText.Line(text);
        var result = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            var character = text[index];

            // What begins a list or a heading does so only there; an underscore inside a word, as variables have it, emphasises nothing.
            var means = character switch
            {
                '\\' or '`' or '*' or '[' or ']' or '|' or '~' => true,
                '_' => !(index > 0 && char.IsAsciiLetterOrDigit(text[index - 1]) && index + 1 < text.Length && char.IsAsciiLetterOrDigit(text[index + 1])),
                '#' or '+' or '-' or '=' => index == 0,
                '.' or ')' => index > 0 && text.AsSpan(0, index).IndexOfAnyExceptInRange('0', '9') < 0 && (index + 1 == text.Length || text[index + 1] == ' '),
                _ => false,
            };
            if (means)
                result.Append('\\');
            result.Append(character switch { '<' => "&lt;", '>' => "&gt;", '&' => "&amp;", _ => character.ToString() });
        }

        return result.ToString();
    }
}
