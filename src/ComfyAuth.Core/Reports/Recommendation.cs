namespace ComfyAuth.Reports;

/// <summary>One thing to do, for every place that it would mend.</summary>
/// <param name="Urgency">How soon.</param>
/// <param name="Text">What to do.</param>
/// <param name="Locations">The places, as <c>root: path#VARIABLE</c>.</param>
public sealed record Recommendation(Urgency Urgency, string Text, IReadOnlyList<string> Locations);
