using System.Text.Json.Serialization;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Environments;
using ComfyAuth.Installation;
using ComfyAuth.Models;
using ComfyAuth.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>How results look as JSON: camel case, enums by name, indented.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TokenReport))]
[JsonSerializable(typeof(IReadOnlyList<TokenObservation>))]
[JsonSerializable(typeof(IReadOnlyList<TokenSyncResult>))]
[JsonSerializable(typeof(IReadOnlyList<TokenValidation>))]
[JsonSerializable(typeof(IReadOnlyList<EnvironmentRestoreResult>))]
[JsonSerializable(typeof(IReadOnlyList<EnvironmentValidation>))]
[JsonSerializable(typeof(IReadOnlyList<ContainerDiagnosis>))]
[JsonSerializable(typeof(IReadOnlyList<ContainerWaitResult>))]
[JsonSerializable(typeof(IReadOnlyList<CheckResult>))]
[JsonSerializable(typeof(RolloutResult<TokenSyncResult>))]
[JsonSerializable(typeof(RolloutResult<EnvironmentRestoreResult>))]
[JsonSerializable(typeof(ValidationReport))]
[JsonSerializable(typeof(IReadOnlyList<ComfyImage>))]
[JsonSerializable(typeof(IReadOnlyList<ModelDownloadResult>))]
[JsonSerializable(typeof(InstallReport))]
[JsonSerializable(typeof(IReadOnlyList<InstallReport>))]
[JsonSerializable(typeof(IReadOnlyList<UndoneChange>))]
public sealed partial class ReportJsonContext : JsonSerializerContext;
