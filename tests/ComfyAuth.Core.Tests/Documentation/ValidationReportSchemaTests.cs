using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using ComfyAuth.Reports;
using ComfyAuth.Tests.Validation;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The schema of the report names what is written, no more and no less, and reports fit it.</summary>
public sealed class ValidationReportSchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(Repository.Read("docs/schemas/validation-report.schema.json"))!.AsObject();

    public static TheoryData<string> Reports => ["sample", "empty", "undetermined"];

    [Fact]
    public void The_schema_has_the_properties_that_are_written()
    {
        var context = ReportJsonContext.Default;
        AssertSame(context.ValidationReport, Schema);
        AssertSame(context.ComponentScore, Definition("component"));
        AssertSame(context.TechnicalMetric, Definition("metric"));
        AssertSame(context.ConformityEntry, Definition("conformity"));
        AssertSame(context.Recommendation, Definition("recommendation"));
        AssertSame(context.BaselineComparison, Definition("baseline"));
        AssertSame(context.CheckResult, Definition("check"));
    }

    [Fact]
    public void The_schema_has_the_values_that_are_written()
    {
        Assert.Equal(Enum.GetNames<Verdict>(), Values(Definition("verdict")));
        Assert.Equal(Enum.GetNames<StackComponent>(), Values(Definition("component")["properties"]!["component"]!));
        Assert.Equal(Enum.GetNames<ConformityArea>(), Values(Definition("conformity")["properties"]!["area"]!));
        Assert.Equal(Enum.GetNames<Conformity>(), Values(Definition("conformity")["properties"]!["conformity"]!));
        Assert.Equal(Enum.GetNames<Urgency>(), Values(Definition("recommendation")["properties"]!["urgency"]!));
        Assert.Equal(Enum.GetNames<CheckStatus>(), Values(Definition("check")["properties"]!["status"]!));
        Assert.Equal(ValidationReport.CurrentVersion, (int)Schema["properties"]!["version"]!["const"]!);
        Assert.Equal(ValidationScore.HeaviestWeight, (double)Definition("check")["properties"]!["weight"]!["maximum"]!);
    }

    [Theory]
    [MemberData(nameof(Reports))]
    public void A_report_fits_the_schema(string name)
    {
        var report = name switch
        {
            "sample" => SampleReport.Of(),
            "empty" => Sample.Report(),
            _ => Sample.Report(Sample.Result("engine.reachable", CheckStatus.Error, weight: double.PositiveInfinity) with { Duration = TimeSpan.MaxValue }),
        };

        Assert.Empty(Misfits(Written(report), Schema, "$"));
    }

    /// <summary>Lest the test above lets everything pass.</summary>
    [Theory]
    [InlineData("score", "101")]
    [InlineData("score", "\"1\"")]
    [InlineData("verdict", "\"Splendid\"")]
    [InlineData("checks", "[{}]")]
    [InlineData("extra", "1")]
    [InlineData("strengths", "[1]")]
    [InlineData("duration", "\"soon\"")]
    public void A_report_that_is_none_does_not_fit(string property, string value)
    {
        var report = Written(SampleReport.Of()).AsObject();
        report[property] = JsonNode.Parse(value);

        Assert.NotEmpty(Misfits(report, Schema, "$"));
    }

    private static JsonNode Written(ValidationReport report) => JsonNode.Parse(ValidationReportWriter.Render(report, ".json", new()))!;

    /// <summary>Where a document breaks the schema, by those of its keywords that ours use.</summary>
    private static IEnumerable<string> Misfits(JsonNode? node, JsonObject schema, string path)
    {
        foreach (var (keyword, rule) in schema)
        {
            var misfits = keyword switch
            {
                "$ref" => Misfits(node, Definition(((string)rule!).Split('/')[^1]), path),
                "type" => One(IsOf(node, rule is JsonArray types ? [.. types.Select(type => (string)type!)] : [(string)rule!]), $"{path} is not {rule}"),
                "enum" => One(rule!.AsArray().Any(value => JsonNode.DeepEquals(value, node)), $"{path} is not in {rule}"),
                "const" => One(JsonNode.DeepEquals(rule, node), $"{path} is not {rule}"),
                "minimum" => One(node is null || (double)node >= (double)rule!, $"{path} is below {rule}"),
                "maximum" => One(node is null || (double)node <= (double)rule!, $"{path} is above {rule}"),
                "pattern" => One(Regex.IsMatch((string)node!, (string)rule!), $"{path} does not match {rule}"),
                "format" => One(DateTimeOffset.TryParse((string)node!, CultureInfo.InvariantCulture, out _), $"{path} is no {rule}"),
                "items" => node is JsonArray items ? items.SelectMany((item, index) => Misfits(item, rule!.AsObject(), $"{path}[{index}]")) : [],
                "oneOf" => One(rule!.AsArray().Count(choice => !Misfits(node, choice!.AsObject(), path).Any()) == 1, $"{path} is not one of {rule}"),
                "required" => node is JsonObject whole ? rule!.AsArray().Where(name => !whole.ContainsKey((string)name!)).Select(name => $"{path} lacks {name}") : [],
                "properties" => node is JsonObject parts ? rule!.AsObject().Where(part => parts.ContainsKey(part.Key)).SelectMany(part => Misfits(parts[part.Key], part.Value!.AsObject(), $"{path}.{part.Key}")) : [],
                "additionalProperties" => node is JsonObject all ? all.Where(part => !schema["properties"]!.AsObject().ContainsKey(part.Key)).Select(part => $"{path} has {part.Key}") : [],
                "$schema" or "title" or "description" or "$defs" => [],
                _ => throw new NotSupportedException(keyword),
            };
            foreach (var misfit in misfits)
                yield return misfit;
        }
    }

    private static IEnumerable<string> One(bool fits, string misfit) => fits ? [] : [misfit];

    private static bool IsOf(JsonNode? node, string[] types) => types.Contains(node?.GetValueKind() switch
    {
        null => "null",
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => types.Contains("integer") && node.AsValue().TryGetValue<int>(out _) ? "integer" : "number",
        _ => "boolean",
    });

    private static JsonObject Definition(string name) => Schema["$defs"]![name]!.AsObject();

    private static void AssertSame(JsonTypeInfo type, JsonObject schema)
    {
        var written = type.Properties.Select(property => property.Name).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(written, schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        Assert.Equal(written, schema["required"]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal));
        Assert.False((bool)schema["additionalProperties"]!);
    }

    private static IEnumerable<string> Values(JsonNode schema) => schema["enum"]!.AsArray().Select(value => (string)value!);
}
