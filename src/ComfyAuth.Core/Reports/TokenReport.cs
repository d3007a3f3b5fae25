using ComfyAuth.Tokens;

namespace ComfyAuth.Reports;

/// <summary>An audit of credentials to keep: what was seen, and what to do. Holds no secret.</summary>
public sealed record TokenReport
{
    /// <summary>The version of this shape; it grows when a reader of the last one would go wrong.</summary>
    public int Version { get; init; } = 1;

    /// <summary>When the audit ended.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What was seen, in the order of the stacks and their places.</summary>
    public required IReadOnlyList<TokenObservation> Observations { get; init; }

    /// <summary>What to do, the most urgent first.</summary>
    public required IReadOnlyList<Recommendation> Recommendations { get; init; }

    /// <summary>Makes a report.</summary>
    /// <param name="observations">What an audit gave.</param>
    /// <param name="createdAt">When it ended.</param>
    /// <returns>The report, with its recommendations.</returns>
    public static TokenReport Of(IReadOnlyList<TokenObservation> observations, DateTimeOffset createdAt) => new()
    {
        CreatedAt = createdAt,
        Observations = observations,
        Recommendations =
        [
            .. observations
                .Where(observation => observation.Remedy.Length > 0)
                .GroupBy(observation => (Urgency: UrgencyOf(observation.State), observation.Remedy))
                .Select(group => new Recommendation(group.Key.Urgency, group.Key.Remedy, [.. group.Select(observation => $"{observation.Stack}: {observation.Location}")]))
                .OrderBy(recommendation => recommendation.Urgency),
        ],
    };

    private static Urgency UrgencyOf(TokenState state) => state switch
    {
        TokenState.Exposed => Urgency.Medium,
        TokenState.Undetermined or TokenState.Unreadable => Urgency.Low,
        _ => Urgency.High,
    };
}
