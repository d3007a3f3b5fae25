namespace ComfyAuth.Tokens;

/// <summary>What files, containers and servers say about the credentials of a stack. Holds no secret.</summary>
/// <param name="Observations">One for each place: those of the files first, then for each service its container's environment, <c>PASSWORD</c> in it, and its server.</param>
/// <param name="Validations">The same summed up, one for each service behind ComfyUI-Login.</param>
public sealed record LiveTokenAudit(IReadOnlyList<TokenObservation> Observations, IReadOnlyList<TokenValidation> Validations);
