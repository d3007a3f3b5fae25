using System.Text.Json.Serialization;

namespace ComfyAuth.Files;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FileLockOwner))]
[JsonSerializable(typeof(FileJournalDocument))]
internal sealed partial class FilesJson : JsonSerializerContext;
