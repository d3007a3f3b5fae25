namespace ComfyAuth.Emulator.Hub;

/// <summary>A way in which content is not what was asked for, though the answer looks fine.</summary>
/// <param name="Kind">In what way.</param>
/// <param name="Number">How much, or which; see the kinds.</param>
public sealed record ContentFault(ContentFaultKind Kind, int Number = 0);
