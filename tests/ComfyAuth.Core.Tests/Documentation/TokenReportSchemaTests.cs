using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The schema of the report names what is written, no more and no less.</summary>
public sealed class TokenReportSchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(Repository.Read("docs/schemas/token-report.schema.json"))!.AsObject();

    [Fact]
    public void The_schema_has_the_properties_that_are_written()
    {
        var context = ReportJsonContext.Default;
        AssertSame(context.TokenReport, Schema);
        AssertSame(context.TokenObservation, Schema["$defs"]!["observation"]!.AsObject());
        AssertSame(context.Recommendation, Schema["$defs"]!["recommendation"]!.AsObject());
    }

    [Fact]
    public void The_schema_has_the_values_that_are_written()
    {
        var observation = Schema["$defs"]!["observation"]!["properties"]!;
        Assert.Equal(Enum.GetNames<TokenState>(), Values(observation["state"]!));
        Assert.Equal(Enum.GetNames<TokenLayer>(), Values(observation["layer"]!));
        Assert.Equal(Enum.GetNames<TokenRole>(), Values(observation["role"]!));
        Assert.Equal(Enum.GetNames<Urgency>(), Values(Schema["$defs"]!["recommendation"]!["properties"]!["urgency"]!));
        Assert.Equal(TokenReport.Of([], default).Version, (int)Schema["properties"]!["version"]!["const"]!);
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
