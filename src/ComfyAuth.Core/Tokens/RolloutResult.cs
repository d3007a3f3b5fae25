using ComfyAuth.Comfy;
using ComfyAuth.Containers;

namespace ComfyAuth.Tokens;

/// <summary>What became of changed files, of the containers that read them, and of the proof. Holds no secret.</summary>
/// <typeparam name="T">What is told of the files.</typeparam>
/// <param name="Results">The files.</param>
/// <param name="Containers">The containers: what was done to each, and why nothing was.</param>
/// <param name="Proofs">One proof for each service behind a login; not determined where its container does not run, or was not to be touched.</param>
public sealed record RolloutResult<T>(IReadOnlyList<T> Results, IReadOnlyList<ContainerChange> Containers, IReadOnlyList<LoginProof> Proofs);
