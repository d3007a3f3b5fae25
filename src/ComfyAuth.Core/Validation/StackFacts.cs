using ComfyAuth.Docker;

namespace ComfyAuth.Validation;

/// <summary>What a run of checks found out about the stack beside its results.</summary>
/// <param name="Engine">The version of the Docker engine; null where it did not answer, or was not asked.</param>
/// <param name="Git">The state of the repository that the stack lies in; null where there is none, or it was not asked for.</param>
internal sealed record StackFacts(EngineVersion? Engine, GitState? Git);
