namespace ComfyAuth.Installation;

/// <summary>Tells how far a step is.</summary>
/// <param name="status">What it is at.</param>
/// <param name="done">How much is done, in any unit.</param>
/// <param name="total">How much there is, in the same unit; null where that is not known.</param>
/// <param name="left">How long the rest takes; null where that cannot be told.</param>
internal delegate void StepTeller(string status, long done, long? total, TimeSpan? left = null);
