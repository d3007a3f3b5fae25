namespace ComfyAuth.Guidance;

/// <summary>A passage of one of a stack's documents that speaks of what was asked. Holds no secret.</summary>
public sealed record GuidancePassage
{
    /// <summary>What was asked.</summary>
    public required string Query { get; init; }

    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The document, relative to the root, with <c>/</c> between folders.</summary>
    public required string File { get; init; }

    /// <summary>The headings that the passage stands under, the outermost first: <c>Troubleshooting > Container unhealthy</c>. Empty before the first.</summary>
    public required string Heading { get; init; }

    /// <summary>The line, counted from 1: that of the heading, or, further down in a long section, of the text itself.</summary>
    public required int Line { get; init; }

    /// <summary>How well it fits, above 0. Comparable between the passages of one query to one stack only.</summary>
    public required double Score { get; init; }

    /// <summary>The passage without its headings, as it stands in the document; at most some 2,000 characters.</summary>
    public required string Text { get; init; }
}
