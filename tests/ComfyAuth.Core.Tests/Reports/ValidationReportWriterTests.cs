using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using ComfyAuth.Reports;
using ComfyAuth.Secrets;
using ComfyAuth.Tests.Validation;
using ComfyAuth.Validation;
using CsCheck;

namespace ComfyAuth.Tests.Reports;

public sealed partial class ValidationReportWriterTests : IDisposable
{
    private const string Canary = "c4n4ry-P4ssw0rd-zq7";

    private static readonly Gen<string> Hostile = Gen.OneOf(
        Gen.String[Gen.Char, 0, 20],
        Gen.OneOf(
            "</script><script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "]]>",
            "<!--",
            "-->",
            "</style>",
            "</pre></details></td>",
            "\" onmouseover=\"x",
            "'",
            "&lt;&amp;",
            "a | b",
            "| --- |",
            "```",
            "# title",
            "1. one",
            "[a](javascript:alert(1))",
            "line\r\nline\nline\rline\u2028line\u0085",
            "\uD800",
            "\uDC00x",
            "\0\u0001\u001B[31m\u007F\uFFFE\uFFFF",
            "\u202Ertl",
            "\U0001F511 漢字 é",
            " ",
            "",
            new string('x', 9000),
            string.Concat(Enumerable.Repeat("line\n", 300)),
            Canary));

    private static readonly Gen<CheckResult> AnyResult = Gen.Select(
        Hostile.Array[9, 9],
        Gen.Enum<CheckStatus>(),
        Hostile.Array[0, 4],
        Gen.Bool,
        (texts, status, evidence, some) => new CheckResult
        {
            Stack = texts[0],
            Id = texts[1],
            Category = texts[2],
            Title = texts[3],
            Service = some ? texts[4] : null,
            Status = status,
            Message = texts[5],
            Remedy = texts[6],
            Evidence = evidence,
            Guidance = some ? [texts[7]] : [],
            Duration = some ? TimeSpan.MaxValue : TimeSpan.Zero,
        });

    private static readonly Gen<ValidationReport> AnyReport = Gen.Select(AnyResult.Array[0, 6], AnyResult.Array[0, 6], Hostile, (now, before, text) =>
        ValidationReport.Of(text, now, Sample.Now, TimeSpan.FromSeconds(1), text).ComparedWith(Sample.Report(before)));

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Forms => [".json", ".md", ".html", ".xml"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_report_is_written_and_replaces_an_earlier_one_and_the_same_report_gives_the_same_bytes(string form)
    {
        var path = _folder.PathOf($"deep/er/report{form.ToUpperInvariant()}");
        await ValidationReportWriter.WriteAsync(Sample.Report(), path, new(), TestContext.Current.CancellationToken);
        await ValidationReportWriter.WriteAsync(SampleReport.Of(), path, new(), TestContext.Current.CancellationToken);
        var first = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        await ValidationReportWriter.WriteAsync(SampleReport.Of(), path, new(), TestContext.Current.CancellationToken);

        Assert.Equal(first, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
        Assert.Equal((byte)'\n', first[^1]);
        Assert.DoesNotContain((byte)'\r', first);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_check_is_in_a_report(string form)
    {
        var report = SampleReport.Of();
        var text = Rendered(report, form);

        foreach (var result in report.Checks)
            Assert.Contains(result.Id, text, StringComparison.Ordinal);
        foreach (var remedy in report.Recommendations.Where(each => each.Urgency == Urgency.High).Select(each => each.Text))
            Assert.Contains(remedy, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_gives_the_report_back()
    {
        var report = SampleReport.Of();
        var path = _folder.PathOf("report.json");
        await ValidationReportWriter.WriteAsync(report, path, new(), TestContext.Current.CancellationToken);

        var read = await ValidationReportReader.ReadAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(Rendered(report, ".json"), Rendered(read, ".json"));
        Assert.Equal(Rendered(report, ".html"), Rendered(read, ".html"));
        Assert.Equal(report.Checks.Select(CheckKey.Of), read.Checks.Select(CheckKey.Of));
    }

    [Fact]
    public void Any_texts_give_JSON_that_is_read_back() =>
        AnyReport.Sample(
            report =>
            {
                using var stream = new MemoryStream(Encoding.UTF8.GetBytes(Rendered(report, ".json")));
                var read = JsonSerializer.Deserialize(stream, ReportJsonContext.Default.ValidationReport)!;
                Assert.Equal(report.Checks.Count, read.Checks.Count);
                Assert.Equal(report.Checks.Select(result => (result.Status, result.Evidence.Count)), read.Checks.Select(result => (result.Status, result.Evidence.Count)));
            },
            iter: 300);

    [Fact]
    public void Any_texts_give_XML_that_is_well_formed_and_counts_every_check() =>
        AnyReport.Sample(
            report =>
            {
                var document = XDocument.Parse(Rendered(report, ".xml"));
                Assert.Equal(report.Checks.Count, document.Descendants("testcase").Count());
                Assert.Equal(report.Failed, document.Descendants("failure").Count());
                Assert.Equal(report.Errors, document.Descendants("error").Count());
                Assert.Equal(report.Skipped, document.Descendants("skipped").Count());
                Assert.Equal(report.Checks.Count, (int)document.Root!.Attribute("tests")!);
            },
            iter: 300);

    /// <summary>What is written is XML as well, but for its void elements; and no text becomes an element.</summary>
    [Fact]
    public void Any_texts_give_HTML_that_nests_and_has_no_element_or_attribute_of_theirs() =>
        AnyReport.Sample(
            report =>
            {
                var html = Rendered(report, ".html");
                var document = XDocument.Parse(VoidElement().Replace(html, "<$1/>").Replace("<!DOCTYPE html>\n", "", StringComparison.Ordinal).Replace(" checked>", " checked=\"\">", StringComparison.Ordinal).Replace(" checked/>", " checked=\"\"/>", StringComparison.Ordinal));

                Assert.Empty(document.Descendants().Select(element => element.Name.LocalName).Except(Elements));
                Assert.Empty(document.Descendants().Attributes().Select(attribute => attribute.Name.LocalName).Except(Attributes));
                Assert.Equal(report.Checks.Count, document.Descendants("code").Count());
                Assert.DoesNotContain(html, character => char.IsControl(character) && character is not ('\n' or '\t'));
            },
            iter: 300);

    [Fact]
    public void Any_texts_give_Markdown_whose_tables_have_a_row_for_each_check() =>
        AnyReport.Sample(
            report =>
            {
                var text = Rendered(report, ".md");
                var rows = text[text.IndexOf("\n## Every check\n", StringComparison.Ordinal)..].Split('\n').Where(line => line.StartsWith('|')).ToList();

                Assert.Equal(report.Checks.Count, rows.Count - 2);
                Assert.All(rows, row => Assert.Equal(7, Bar().Count(row)));
                Assert.DoesNotContain('<', text);
                Assert.DoesNotMatch(@"(?<!\\)\]\(", text);
                Assert.All(text.Split('\n').Where(line => line.StartsWith('#')), line => Assert.Matches("^#{1,3} ([^#]|$)", line));
            },
            iter: 300);

    [Theory]
    [MemberData(nameof(Forms))]
    public void No_known_secret_is_written(string form)
    {
        var redactor = new SecretRedactor();
        redactor.Register(Canary);
        var whole = Sample.Result("a.b", CheckStatus.Failed) with
        {
            Stack = Canary, Id = $"a.{Canary}", Category = Canary, Title = Canary, Service = Canary, Message = Canary, Evidence = [Canary, $"x{Canary}x"], Remedy = Canary, Guidance = [Canary],
        };
        var report = ValidationReport.Of(Canary, [whole], Sample.Now, TimeSpan.Zero, Canary);

        Assert.Contains(Canary, Rendered(report.ComparedWith(report), form), StringComparison.Ordinal);
        Assert.DoesNotContain("c4n4ry", ValidationReportWriter.Render(report.ComparedWith(report), form, redactor), StringComparison.Ordinal);
        AnyReport.Sample(any => !ValidationReportWriter.Render(any, form, redactor).Contains(Canary, StringComparison.Ordinal), iter: 100);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Very_much_evidence_stays_whole_in_JSON_and_short_elsewhere(string form)
    {
        var result = Sample.Result("model.hash", CheckStatus.Failed) with { Evidence = [.. Enumerable.Range(0, 20_000).Select(line => $"line {line} {new string('x', 100)}"), new string('y', 1_000_000)] };

        var text = Rendered(Sample.Report(result), form);

        Assert.Equal(form == ".json", text.Length > 3_000_000);
        Assert.Equal(form == ".json", text.Contains("line 19999", StringComparison.Ordinal));
        Assert.True(form == ".json" || text.Length < 100_000);
    }

    [Theory]
    [InlineData("report.md", "# Validation report of mine\n")]
    [InlineData("report.md", "# Credential audit\n\n")]
    [InlineData("report.html", "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Mine</title>")]
    [InlineData("report.xml", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"mine\"/>")]
    [InlineData("report.xml", "")]
    [InlineData("report.json", "{\"version\": 1, \"createdAt\": \"2025-10-30T22:00:00Z\", \"observations\": [], \"recommendations\": []}")]
    [InlineData("package.json", "{\"name\": \"mine\"}")]
    [InlineData("report.json", "{\"version\": 2}")]
    public async Task A_file_that_is_no_such_report_is_not_overwritten(string name, string text)
    {
        var path = _folder.Write(name, text);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => ValidationReportWriter.WriteAsync(SampleReport.Of(), path, new(), TestContext.Current.CancellationToken));

        Assert.Equal("ReportWouldOverwrite", error.Code);
        Assert.Equal(text, _folder.Read(name));
    }

    [Fact]
    public async Task An_unknown_extension_is_refused_and_nothing_written()
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => ValidationReportWriter.WriteAsync(SampleReport.Of(), _folder.PathOf("report.pdf"), new(), TestContext.Current.CancellationToken));

        Assert.Equal(("ReportFormatUnknown", "End its name in .json, .md, .html or .xml."), (error.Code, error.Remedy));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Many_that_write_the_same_report_at_once_leave_one_whole(string form)
    {
        var path = _folder.PathOf($"report{form}");
        await ValidationReportWriter.WriteAsync(Sample.Report(), path, new(), TestContext.Current.CancellationToken);

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ValidationReportWriter.WriteAsync(SampleReport.Of(), path, new(), TestContext.Current.CancellationToken)));

        Assert.Equal(Rendered(SampleReport.Of(), form), _folder.Read($"report{form}"));
        Assert.Equal([path], Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void JUnit_tells_a_failure_with_its_evidence_and_a_warning_as_output()
    {
        var suites = XDocument.Parse(Rendered(SampleReport.Of(), ".xml")).Root!;

        var failed = suites.Descendants("testcase").Single(test => (string?)test.Attribute("name") == "container.running (flux-1-dev)");
        Assert.Equal("container", (string?)failed.Attribute("classname"));
        Assert.Contains("state: exited, exit code 137", (string)failed.Element("failure")!, StringComparison.Ordinal);
        Assert.Contains("8188 is bound to 0.0.0.0", (string)suites.Descendants("testcase").Single(test => (string?)test.Attribute("classname") == "hardening").Element("system-out")!, StringComparison.Ordinal);
        Assert.Equal(suites.Elements("testsuite").Sum(suite => (int)suite.Attribute("tests")!), (int)suites.Attribute("tests")!);
        Assert.Equal(suites.Elements("testsuite").Select(suite => (string?)suite.Attribute("name")).Distinct().Count(), suites.Elements("testsuite").Count());
    }

    [Fact]
    public void The_page_names_no_other_resource_and_lets_none_in()
    {
        var html = Rendered(SampleReport.Of(), ".html");

        Assert.Contains("content=\"default-src 'none'; style-src 'unsafe-inline'\"", html, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"<(script|link|iframe|img|object|embed)\b|\s(src|href)=|url\(|@import", html);
    }

    [Theory]
    [InlineData("")]
    [InlineData("@media (prefers-color-scheme: dark)")]
    [InlineData("@media print")]
    public void The_colours_of_the_page_can_be_told_apart(string scheme)
    {
        var html = Rendered(Sample.Report(), ".html");
        var colours = Colour().Matches(html[html.IndexOf(scheme.Length == 0 ? ":root" : scheme, StringComparison.Ordinal)..]).GroupBy(match => match.Groups[1].Value).ToDictionary(group => group.Key, group => group.First().Groups[2].Value);

        foreach (var ink in new[] { "text", "muted", "passed", "warning", "failed", "error", "skipped" })
        {
            Assert.True(Contrast(colours[ink], colours["page"]) >= 4.5, $"{ink} on page");
            Assert.True(Contrast(colours[ink], colours["panel"]) >= 4.5, $"{ink} on panel");
        }
    }

    /// <summary>The ratio of contrast by WCAG 2.2.</summary>
    private static double Contrast(string one, string other)
    {
        var (light, dark) = (Luminance(one), Luminance(other));
        return (Math.Max(light, dark) + 0.05) / (Math.Min(light, dark) + 0.05);

        static double Luminance(string colour)
        {
            var parts = Convert.FromHexString(colour).Select(part => part / 255.0).Select(part => part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4)).ToList();
            return (0.2126 * parts[0]) + (0.7152 * parts[1]) + (0.0722 * parts[2]);
        }
    }

    private static string Rendered(ValidationReport report, string form) => ValidationReportWriter.Render(report, form, new SecretRedactor());

    private static readonly string[] Elements =
    [
        "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "h3", "p", "div", "span", "svg", "path", "circle", "rect", "text", "ul", "li", "dl", "dt", "dd",
        "section", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "details", "summary", "pre", "fieldset", "legend", "input", "label", "footer",
    ];

    private static readonly string[] Attributes =
    [
        "lang", "charset", "name", "content", "http-equiv", "class", "id", "viewBox", "role", "aria-label", "aria-labelledby", "aria-hidden", "cx", "cy", "r", "x", "y", "transform", "stroke-dasharray",
        "d", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "preserveAspectRatio", "width", "height", "tabindex", "scope", "colspan", "type", "checked", "for", "data-label",
    ];

    [GeneratedRegex("<((?:meta|input) [^>]*)>")]
    private static partial Regex VoidElement();

    [GeneratedRegex(@"(?<!\\)(?:\\\\)*\|")]
    private static partial Regex Bar();

    [GeneratedRegex("--([a-z]+): #([0-9a-f]{6})")]
    private static partial Regex Colour();
}
