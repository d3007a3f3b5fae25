using System.Text.Json.Serialization;

namespace ComfyAuth.Models;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PartJournal))]
[JsonSerializable(typeof(VerifiedFile))]
internal sealed partial class ModelsJson : JsonSerializerContext;
