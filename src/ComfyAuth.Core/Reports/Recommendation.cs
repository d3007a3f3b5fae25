namespace ComfyAuth.Reports;

/// <summary>One thing to do, for every place that it would mend.</summary>
/// <param name="Urgency">How soon.</param>
/// <param name="Text">What to do.</param>
/// <param name="Locations">The places, as <c>root: path#VARIABLE</c> where credentials were audited, as <c>auth.api.protected (comfyui-qwen)</c> where checks were made.</param>
public sealed record Recommendation(Urgency Urgency, string Text, IReadOnlyList<string> Locations);
