using System.Globalization;
using System.Text;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>A validation report as one page of HTML that needs nothing else: no script, no file, no network.</summary>
internal sealed class HtmlReport
{
    public const string Beginning = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"ComfyAuth validation report\">\n";

    // Of the circle in the ring.
    private const double Circumference = 2 * Math.PI * 52;

    private static readonly string Style = ReadStyle();

    private readonly StringBuilder _html = new(Beginning);

    private HtmlReport()
    {
    }

    public static string Of(ValidationReport report)
    {
        var page = new HtmlReport();
        page.AddHead(report);
        page._html.Append("<main>\n");
        page.AddSummary(report);
        page.AddBaseline(report);
        page.AddRecommendations(report);
        page.AddComponents(report);
        page.AddMetrics(report);
        page.AddStrengths(report);
        page.AddChecks(report);
        page.AddFooter(report);
        page._html.Append("</main>\n</body>\n</html>\n");
        return page._html.ToString();
    }

    private void AddHead(ValidationReport report) => _html.Append(CultureInfo.InvariantCulture, $"""
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>{report.Verdict}: {Escape(report.Stack)}</title>
        <style>
        {Style}</style>
        </head>
        <body>

        """);

    private void AddSummary(ValidationReport report)
    {
        var status = StatusOf(report.Verdict);
        _html.Append(CultureInfo.InvariantCulture, $"""
            <header>
            <h1>Validation report</h1>
            <p>{Escape(report.Stack)}</p>
            <div class="verdict {status}">
            {Ring(report.Score)}
            <div>
            <p class="word">{Status(status, report.Verdict.ToString())}</p>
            <p>{Escape(report.VerdictReason)}</p>
            <ul class="counts">

            """);
        foreach (var (name, count) in CountsOf(report))
        {
            if (count > 0)
                _html.Append(CultureInfo.InvariantCulture, $"<li class=\"{StatusOf(name)}\">{Status(StatusOf(name), $"{count} {(name == CheckStatus.Warning && count > 1 ? "warnings" : ReportWords.Of(name).ToLowerInvariant())}")}</li>\n");
        }

        _html.Append("</ul>\n</div>\n</div>\n<dl class=\"facts\">\n");
        Fact("Begun", ReportWords.Moment(report.StartedAt));
        Fact("Took", ReportWords.Time(report.Duration));
        Fact("Coverage", report.Coverage is null ? ReportWords.Percent(null) : $"{ReportWords.Percent(report.Coverage)} determined");
        Fact("Docker engine", report.EngineVersion ?? "Not known");
        if (ReportWords.Revision(report) is { } revision)
            Fact("Revision", revision);
        _html.Append("</dl>\n</header>\n");
    }

    private void AddBaseline(ValidationReport report)
    {
        if (report.Baseline is not { } baseline)
            return;

        var change = ReportWords.Change(report.Score, baseline.Score);
        _html.Append(CultureInfo.InvariantCulture, $"""
            <section aria-labelledby="baseline">
            <h2 id="baseline">Since the earlier report</h2>
            <p>{ReportWords.Moment(baseline.StartedAt)}, {Escape(baseline.Stack)}: {baseline.Verdict}, score {ReportWords.Number(baseline.Score)}{(change.Length > 0 ? $" ({change} since)" : "")}.</p>
            <div class="columns">

            """);
        AddNames("Fails now", "failed", baseline.NewFailures);
        AddNames("Fixed", "passed", baseline.Fixed);
        AddNames("Still fails", "failed", baseline.StillFailing);
        AddNames("No longer checked", "skipped", baseline.NoLongerChecked);
        _html.Append("</div>\n</section>\n");
    }

    private void AddNames(string title, string status, IReadOnlyList<string> names)
    {
        _html.Append(CultureInfo.InvariantCulture, $"<div>\n<h3 class=\"{(names.Count == 0 ? "skipped" : status)}\">{title}: {names.Count}</h3>\n");
        AddList(names);
        _html.Append("</div>\n");
    }

    private void AddRecommendations(ValidationReport report)
    {
        _html.Append("<section aria-labelledby=\"recommendations\">\n<h2 id=\"recommendations\">What to do</h2>\n");
        if (report.Recommendations.Count == 0)
            _html.Append("<p>Nothing.</p>\n");
        foreach (var urgency in report.Recommendations.GroupBy(each => each.Urgency))
        {
            _html.Append(CultureInfo.InvariantCulture, $"<h3>{urgency.Key} urgency</h3>\n<ul>\n");
            foreach (var recommendation in urgency)
                _html.Append(CultureInfo.InvariantCulture, $"<li>{Escape(ReportText.Line(recommendation.Text))}<div class=\"places\">{Escape(string.Join(", ", recommendation.Locations))}</div></li>\n");
            _html.Append("</ul>\n");
        }

        _html.Append("</section>\n");
    }

    private void AddComponents(ValidationReport report)
    {
        OpenTable("components", "Components", "Component", "Score", "", "Status", "Coverage", "Notes");
        foreach (var component in report.Components)
        {
            var status = StatusOf(component.Status);
            _html.Append(CultureInfo.InvariantCulture, $"""
                <tr class="{status}"><th scope="row">{ReportWords.Of(component.Component)}</th><td class="number" data-label="Score">{ReportWords.Number(component.Score)}</td><td>{Bar(component.Score)}</td><td>{Status(status, component.Status.ToString())}</td><td class="number" data-label="Coverage">{ReportWords.Percent(component.Coverage)}</td><td>{Escape(component.Notes)}</td></tr>

                """);
        }

        CloseTable();
    }

    private void AddMetrics(ValidationReport report)
    {
        OpenTable("metrics", "Technical metrics", "Metric", "Value", "", "Threshold", "Threshold is", "Counted");
        foreach (var metric in report.Metrics)
        {
            var status = metric.IsMet switch { true => "passed", false => "failed", null => "error" };
            var counted = new[] { (metric.Fine, "fine"), (metric.Faulty, "not fine"), (metric.Unknown, "not known") }.Where(item => item.Item1 > 0).Select(item => $"{ReportWords.Number(item.Item1)} {item.Item2}").ToList();
            _html.Append(CultureInfo.InvariantCulture, $"""
                <tr class="{status}"><th scope="row">{Escape(metric.Name)}</th><td class="number" data-label="Value">{ReportWords.Percent(metric.Value)}</td><td>{Bar(metric.Value)}</td><td class="number" data-label="Threshold">{ReportWords.Percent(metric.Threshold)}</td><td>{Status(status, ReportWords.Of(metric.IsMet))}</td><td>{(counted.Count == 0 ? "Nothing was checked." : string.Join(", ", counted))}</td></tr>

                """);
        }

        CloseTable();
        OpenTable("conformity", "Conformity", "Area", "Conformity", "Notes");
        foreach (var entry in report.Conformity)
        {
            var status = entry.Conformity switch { Conformity.Conforms => "passed", Conformity.Partly => "warning", Conformity.Violated => "failed", _ => "error" };
            _html.Append(CultureInfo.InvariantCulture, $"<tr class=\"{status}\"><th scope=\"row\">{entry.Area}</th><td>{Status(status, ReportWords.Of(entry.Conformity))}</td><td>{Escape(entry.Notes)}</td></tr>\n");
        }

        CloseTable();
    }

    private void AddStrengths(ValidationReport report)
    {
        _html.Append("<div class=\"columns\">\n<section aria-labelledby=\"attention\">\n<h2 id=\"attention\">Points of attention</h2>\n");
        AddList(report.Attention, "None.");
        _html.Append("</section>\n<section aria-labelledby=\"strengths\">\n<h2 id=\"strengths\">Strengths</h2>\n");
        AddList(report.Strengths, "None yet.");
        _html.Append("</section>\n</div>\n");
    }

    private void AddChecks(ValidationReport report)
    {
        _html.Append(CultureInfo.InvariantCulture, $"""
            <section aria-labelledby="checks">
            <h2 id="checks">Every check</h2>
            <fieldset class="filter">
            <legend>Show</legend>
            <input type="radio" name="show" id="show-all" checked><label for="show-all">All {report.Checks.Count}</label>

            """);
        foreach (var (name, count) in CountsOf(report))
        {
            if (count > 0)
                _html.Append(CultureInfo.InvariantCulture, $"<input type=\"radio\" name=\"show\" id=\"show-{StatusOf(name)}\"><label for=\"show-{StatusOf(name)}\">{ReportWords.Of(name)} {count}</label>\n");
        }

        _html.Append("</fieldset>\n<table class=\"checks\">\n<thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Check</th><th scope=\"col\">Found</th><th scope=\"col\" class=\"number\">Time</th></tr></thead>\n");
        foreach (var component in report.Checks.GroupBy(result => CategoryPlace.Of(result.Category).Component).OrderBy(group => group.Key))
        {
            _html.Append(CultureInfo.InvariantCulture, $"<tbody>\n<tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">{ReportWords.Of(component.Key)}</th></tr>\n");
            foreach (var result in component)
                AddCheck(result);
            _html.Append("</tbody>\n");
        }

        _html.Append("</table>\n</section>\n");
    }

    private void AddCheck(CheckResult result)
    {
        var status = StatusOf(result.Status);
        _html.Append(CultureInfo.InvariantCulture, $"<tr class=\"{status}\"><td>{Status(status, ReportWords.Of(result.Status))}</td><th scope=\"row\">{Escape(ReportText.Line(result.Title))}{(result.Service is null ? "" : $" <span class=\"muted\">{Escape(result.Service)}</span>")}<code>{Escape(result.Id)}</code></th><td>{Escape(ReportText.Line(result.Message))}");
        if (result.Fixed)
            _html.Append("<div class=\"muted\">It had failed and was mended in this run.</div>");
        if (result.Remedy.Length > 0)
            _html.Append(CultureInfo.InvariantCulture, $"<div class=\"todo\"><strong>To do:</strong> {Escape(ReportText.Line(result.Remedy))}{(result.CanFix ? " <span class=\"muted\">The module can mend it (-Fix).</span>" : "")}</div>");
        if (result.Evidence.Count > 0)
            _html.Append(CultureInfo.InvariantCulture, $"<details><summary>Evidence</summary><pre>{Escape(string.Join('\n', ReportText.Lines(result.Evidence)))}</pre></details>");
        if (result.Guidance.Count > 0)
            _html.Append(CultureInfo.InvariantCulture, $"<details><summary>Read more</summary><pre>{Escape(string.Join('\n', ReportText.Lines(result.Guidance)))}</pre></details>");
        _html.Append(CultureInfo.InvariantCulture, $"</td><td class=\"number\" data-label=\"Time\">{ReportWords.Time(result.Duration)}</td></tr>\n");
    }

    private void AddFooter(ValidationReport report) =>
        _html.Append(CultureInfo.InvariantCulture, $"<footer>Made by ComfyAuth {Escape(report.ModuleVersion)}. A score of 100 says that everything that could be determined passed; the coverage says how much that was.</footer>\n");

    private void Fact(string name, string value) => _html.Append(CultureInfo.InvariantCulture, $"<div><dt>{name}</dt><dd>{Escape(value)}</dd></div>\n");

    private void AddList(IReadOnlyList<string> items, string? none = null)
    {
        if (items.Count == 0)
        {
            if (none is not null)
                _html.Append(CultureInfo.InvariantCulture, $"<p>{none}</p>\n");
            return;
        }

        _html.Append("<ul>\n");
        foreach (var item in items)
            _html.Append(CultureInfo.InvariantCulture, $"<li>{Escape(ReportText.Line(item))}</li>\n");
        _html.Append("</ul>\n");
    }

    // What is wider than the page is scrolled by itself, also with the keyboard.
    private void OpenTable(string id, string title, params string[] columns)
    {
        _html.Append(CultureInfo.InvariantCulture, $"<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{id}\">\n<table>\n<thead><tr>");
        foreach (var column in columns)
            _html.Append(column.Length == 0 ? "<td></td>" : $"<th scope=\"col\"{(column is "Score" or "Value" or "Threshold" or "Coverage" ? " class=\"number\"" : "")}>{column}</th>");
        _html.Append("</tr></thead>\n<tbody>\n");
    }

    private void CloseTable() => _html.Append("</tbody>\n</table>\n</div>\n</section>\n");

    private static (CheckStatus Status, int Count)[] CountsOf(ValidationReport report) =>
    [
        (CheckStatus.Passed, report.Passed),
        (CheckStatus.Warning, report.Warnings),
        (CheckStatus.Failed, report.Failed),
        (CheckStatus.Error, report.Errors),
        (CheckStatus.Skipped, report.Skipped),
    ];

    private static string StatusOf(CheckStatus status) => status switch
    {
        CheckStatus.Passed => "passed",
        CheckStatus.Warning => "warning",
        CheckStatus.Failed => "failed",
        CheckStatus.Error => "error",
        _ => "skipped",
    };

    private static string StatusOf(Verdict verdict) => verdict switch
    {
        Verdict.Sound => "passed",
        Verdict.Fair or Verdict.Poor => "warning",
        Verdict.Critical => "failed",
        _ => "error",
    };

    /// <summary>A sign and a word in the colour of the status: neither colour nor sign is needed to read it.</summary>
    private static string Status(string status, string word)
    {
        var sign = status switch
        {
            "passed" => "<path d=\"M3 8.5l3.2 3.2L13 5\"/>",
            "warning" => "<path d=\"M8 2.5L14.5 13.5H1.5z\"/><path d=\"M8 6.5v3M8 11.6v.1\"/>",
            "failed" => "<path d=\"M3.5 3.5l9 9M12.5 3.5l-9 9\"/>",
            "error" => "<path d=\"M5.2 5.6a2.8 2.8 0 1 1 4.3 2.4C8.5 8.6 8 9.1 8 10.2M8 13v.1\"/>",
            _ => "<path d=\"M3.5 8h9\"/>",
        };
        return $"<span class=\"status\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.8\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{sign}</svg>{word}</span>";
    }

    private static string Ring(int? score)
    {
        var drawn = (score ?? 0) / 100.0 * Circumference;
        var value = drawn > 0 ? string.Create(CultureInfo.InvariantCulture, $"<circle class=\"value\" cx=\"60\" cy=\"60\" r=\"52\" transform=\"rotate(-90 60 60)\" stroke-dasharray=\"{drawn:0.00} {Circumference:0.00}\"/>") : "";
        return $"<svg class=\"ring\" viewBox=\"0 0 120 120\" role=\"img\" aria-label=\"{(score is null ? "No score" : $"Score {ReportWords.Number(score)} of 100")}\"><circle cx=\"60\" cy=\"60\" r=\"52\"/>{value}<text x=\"60\" y=\"68\">{ReportWords.Number(score)}</text><text class=\"of\" x=\"60\" y=\"86\">of 100</text></svg>";
    }

    // The number stands beside it.
    private static string Bar(int? value) => value is null ? "" :
        string.Create(CultureInfo.InvariantCulture, $"<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"100\" height=\"6\"/><rect class=\"value\" width=\"{value}\" height=\"6\"/></svg>");

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal);

    private static string ReadStyle()
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("ComfyAuth.Reports.report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
