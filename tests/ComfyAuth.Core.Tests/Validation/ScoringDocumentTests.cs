using System.Globalization;
using ComfyAuth.Reports;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

/// <summary>docs/scoring.md says what is counted, and its example comes out as it says.</summary>
public sealed class ScoringDocumentTests
{
    private const string Document = "docs/scoring.md";

    [Fact]
    public void Every_category_of_the_catalogue_has_a_place() =>
        Assert.Empty(CheckCatalogue.All.Select(check => check.Category).Distinct().Except(CategoryPlace.Known.Keys));

    [Fact]
    public void The_critical_checks_are_checks_and_those_that_are_named()
    {
        var named = Repository.Read(Document).Split("critical: ")[1].Split(". ")[0].Split(" and ").Select(id => id.Trim('`'));

        Assert.Equal(ValidationScore.Critical, named);
        Assert.Empty(ValidationScore.Critical.Except(CheckCatalogue.All.Select(check => check.Id)));
    }

    [Theory]
    [InlineData("container.running")]
    [InlineData("container.health")]
    [InlineData("service.ready")]
    public void The_metrics_count_checks_that_there_are(string id) => Assert.Contains(id, CheckCatalogue.All.Select(check => check.Id));

    [Fact]
    public void The_table_of_categories_is_that_of_the_code() =>
        Assert.Equal(
            CategoryPlace.Known.Select(item => $"{item.Key} {ReportWords.Of(item.Value.Component)} {item.Value.Area}").Order(StringComparer.Ordinal),
            Table("A component").Select(row => $"{row[0].Trim('`')} {row[1]} {row[2]}").Order(StringComparer.Ordinal));

    [Fact]
    public void The_weights_of_the_components_are_those_of_the_code() =>
        Assert.Equal(
            Enum.GetValues<StackComponent>().Select(component => $"{ReportWords.Of(component)} {ValidationScore.WeightOf(component)}"),
            Table("The whole").Select(row => $"{row[0]} {row[1]}"));

    [Fact]
    public void The_verdicts_are_those_of_the_code() =>
        Assert.Equal(Enum.GetNames<Verdict>().Order(StringComparer.Ordinal), Table("The verdict").Select(row => row[0].Trim('`')).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_metrics_are_those_of_the_code() =>
        Assert.Equal(
            Sample.Report().Metrics.Select(metric => $"{metric.Name} {metric.Threshold} %"),
            Table("Technical metrics").Select(row => $"{row[0]} {row[2]}"));

    [Fact]
    public void The_worked_example_comes_out_as_it_says()
    {
        var rows = Table("Worked example").ToList();
        var results = rows.TakeWhile(row => row[0] != "Component").Select(row => Sample.Result(
            row[0].Trim('`'),
            Enum.Parse<CheckStatus>(row[3]),
            row[1].Length == 0 ? null : row[1],
            double.Parse(row[2], CultureInfo.InvariantCulture)));

        var report = Sample.Report([.. results]);

        var counted = report.Components
            .Where(component => component.Coverage is not null)
            .Select(component => $"{ReportWords.Of(component.Component)}|{component.Score}|{component.Coverage}|{component.Status}")
            .Append($"The whole|{report.Score}|{report.Coverage}|{report.Verdict}");
        Assert.Equal(counted, rows.SkipWhile(row => row[0] != "Component").Skip(1).Select(row => $"{row[0]}|{row[2]}|{row[3]}|{row[4]}"));
    }

    /// <summary>The cells of a section's tables, without the heads of the first.</summary>
    private static IEnumerable<string[]> Table(string section)
    {
        var text = Repository.Read(Document);
        var start = text.IndexOf($"## {section}\n", StringComparison.Ordinal);
        var end = text.IndexOf("\n## ", start, StringComparison.Ordinal);
        return text[start..(end < 0 ? text.Length : end)]
            .Split('\n')
            .Where(line => line.StartsWith('|') && !line.StartsWith("| ---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())
            .Skip(1);
    }
}
