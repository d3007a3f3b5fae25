using System.Globalization;
using System.Text;
using System.Xml;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>A validation report in the XML of JUnit, which servers of continuous integration show: a suite for each category.</summary>
/// <remarks>A warning is a test that passed, with what was found as its output: JUnit knows nothing between.</remarks>
internal static class JUnitReport
{
    public const string Beginning = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"ComfyAuth validation\"";

    public static string Of(ValidationReport report)
    {
        using var stream = new MemoryStream();
        using (var xml = XmlWriter.Create(stream, new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true, NewLineChars = "\n" }))
        {
            xml.WriteStartElement("testsuites");
            xml.WriteAttributeString("name", "ComfyAuth validation");
            WriteCounts(xml, report.Checks, report.Duration.TotalSeconds);
            foreach (var category in report.Checks.GroupBy(result => result.Category))
                WriteSuite(xml, category.Key, [.. category], report);
            xml.WriteEndElement();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void WriteSuite(XmlWriter xml, string category, List<CheckResult> results, ValidationReport report)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", category);
        WriteCounts(xml, results, results.Sum(result => result.Duration.TotalSeconds));
        xml.WriteAttributeString("timestamp", report.StartedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        foreach (var result in results)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", category);
            xml.WriteAttributeString("name", CheckKey.Of(result).ToString());
            xml.WriteAttributeString("time", Seconds(result.Duration.TotalSeconds));
            WriteEnding(xml, result);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteEnding(XmlWriter xml, CheckResult result)
    {
        var element = result.Status switch
        {
            CheckStatus.Failed => "failure",
            CheckStatus.Error => "error",
            CheckStatus.Skipped => "skipped",
            CheckStatus.Warning => "system-out",
            _ => null,
        };
        if (element is null)
            return;

        xml.WriteStartElement(element);
        if (element != "system-out")
            xml.WriteAttributeString("message", ReportText.Line(result.Message));
        if (element is "failure" or "error")
            xml.WriteAttributeString("type", result.Id);
        if (element != "skipped")
        {
            string[] lines = [result.Title, ReportText.Line(result.Message), .. ReportText.Lines(result.Evidence).Select(line => $"  {line}"), .. result.Remedy.Length > 0 ? new[] { $"To do: {ReportText.Line(result.Remedy)}" } : []];
            xml.WriteString(string.Join('\n', lines));
        }

        xml.WriteEndElement();
    }

    private static void WriteCounts(XmlWriter xml, IReadOnlyCollection<CheckResult> results, double seconds)
    {
        xml.WriteAttributeString("tests", Number(results.Count));
        xml.WriteAttributeString("failures", Number(results.Count(result => result.Status == CheckStatus.Failed)));
        xml.WriteAttributeString("errors", Number(results.Count(result => result.Status == CheckStatus.Error)));
        xml.WriteAttributeString("skipped", Number(results.Count(result => result.Status == CheckStatus.Skipped)));
        xml.WriteAttributeString("time", Seconds(seconds));
    }

    private static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.000", CultureInfo.InvariantCulture);
}
