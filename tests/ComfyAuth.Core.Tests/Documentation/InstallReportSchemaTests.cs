using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Installation;
using ComfyAuth.Reports;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The schema of the report names what is written, no more and no less.</summary>
public sealed class InstallReportSchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(Repository.Read("docs/schemas/install-report.schema.json"))!.AsObject();

    private static JsonObject Step => Schema["$defs"]!["step"]!.AsObject();

    [Fact]
    public void The_schema_has_the_properties_that_are_written()
    {
        AssertSame(ReportJsonContext.Default.InstallReport, Schema);
        AssertSame(ReportJsonContext.Default.StepResult, Step);
    }

    [Fact]
    public void The_schema_has_the_values_that_are_written()
    {
        Assert.Equal(Enum.GetNames<InstallOutcome>(), Values(Schema["properties"]!["outcome"]!));
        Assert.Equal(Enum.GetNames<InstallStepName>(), Values(Step["properties"]!["step"]!));
        Assert.Equal(Enum.GetNames<StepStatus>(), Values(Step["properties"]!["status"]!));
        Assert.Equal(InstallReport.CurrentVersion, (int)Schema["properties"]!["version"]!["const"]!);
    }

    private static void AssertSame(JsonTypeInfo type, JsonObject schema)
    {
        var written = type.Properties.Select(property => property.Name).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(written, schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        Assert.Equal(written, schema["required"]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal));
        Assert.False((bool)schema["additionalProperties"]!);
    }

    private static IEnumerable<string> Values(JsonNode schema) => schema["enum"]!.AsArray().Select(value => (string)value!);
}
