using System.Text.Json.Serialization;

namespace ComfyAuth.Reports;

/// <summary>What tells the shape of the rest of a report.</summary>
internal sealed partial record ReportHeader
{
    public int? Version { get; init; }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(ReportHeader))]
    internal sealed partial class Json : JsonSerializerContext;
}
